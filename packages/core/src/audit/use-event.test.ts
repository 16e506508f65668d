import { describe, expect, test } from 'vitest'
import { GENESIS, formatLine, readLine } from './line.ts'
import { EventStem, UseEvent } from './use-event.ts'

const facts = {
  source: 'verifier:https://orders.example#1',
  txn: 'tsk_1',
  jti: 'gr_1',
  client_id: 'bot "7"',
  sub: undefined,
  owner: 'team',
  aud: undefined,
  action: 'order.read',
  resource: 'order:1',
}
const at = { id: 'ev_1', time: 1_750_000_000.125 }

describe('UseEvent', () => {
  test('is written as the plain event with the same members, the first time and later', () => {
    const stem = new EventStem(facts)
    for (const status of [200, 500]) {
      const event = new UseEvent('use.ended', stem, at)
      Object.assign(event, {
        jkt: 'j',
        call_id: 'c',
        parameters: 'p',
        follows: 'ev_0',
        status,
        reason: 'r',
        detail: 'd',
      })
      const { text } = formatLine(event.event, 1, GENESIS)
      expect(text).toBe(formatLine({ ...event.event }, 1, GENESIS).text)
      expect(readLine(text)).toMatchObject({ status, client_id: 'bot "7"', follows: 'ev_0', detail: 'd' })
    }
  })

  test('leaves out what does not apply', () => {
    const { text } = formatLine(new UseEvent('use.started', new EventStem(facts), at).event, 1, GENESIS)
    expect(Object.keys(readLine(text) ?? {})).toEqual([
      'seq',
      'prev',
      'id',
      'type',
      'time',
      'source',
      'txn',
      'jti',
      'client_id',
      'owner',
      'action',
      'resource',
      'hash',
    ])
  })

  test.each([
    ['a fact that is no text', { ...facts, txn: 5 as never }, {}],
    ['a status that is no number', facts, { status: '200' }],
    ['a time without end', facts, { time: Number.POSITIVE_INFINITY }],
  ])('is refused with %s', (_name, common, more) => {
    const event = Object.assign(new UseEvent('use.ended', new EventStem(common), at), more)
    expect(() => formatLine(event.event, 1, GENESIS)).toThrow(expect.objectContaining({ code: 'audit-unavailable' }))
  })
})

test('EventStem.text is never part of a line of another event', () => {
  const stem = new EventStem(facts)
  formatLine(new UseEvent('use.ended', stem, at).event, 1, GENESIS)
  const copy = { ...new UseEvent('use.ended', stem, at).event, resource: 'order:2' }
  expect(readLine(formatLine(copy, 2, GENESIS).text)?.resource).toBe('order:2')
})
