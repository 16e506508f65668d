import { createHash } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createChain } from './chain.ts'
import type { AuditEvent } from './event.ts'
import { GENESIS, MAX_LINE_CHARS, formatLine, readLine } from './line.ts'

const event: AuditEvent = { id: 'ev_1', type: 'use.started', time: 1750000000.125, source: 'broker:https://b.example' }
const raw = (value: object): AuditEvent => value as AuditEvent

describe('formatLine()', () => {
  test('writes seq, prev, the event and the hash of all bytes before it', () => {
    const body =
      `{"seq":7,"prev":"${'A'.repeat(43)}","id":"ev_1","type":"use.started","time":1750000000.125,` +
      '"source":"broker:https://b.example"'
    const hash = createHash('sha256').update(body).digest('base64url')
    expect(formatLine(event, 7, GENESIS)).toEqual({ text: `${body},"hash":"${hash}"}`, hash })
  })

  test('writes no member that events do not have', () => {
    const { text } = formatLine(
      raw({ ...event, access_token: 'CANARY', constructor: 'CANARY', seq: 99, hash: 'x' }),
      1,
      GENESIS,
    )
    expect(text).not.toContain('CANARY')
    expect(readLine(text)?.seq).toBe(1)
  })

  test.each([
    ['a number where text belongs', { txn: 5 }],
    ['an object where text belongs', { note: new String('x') }],
    ['infinity', { time: Number.POSITIVE_INFINITY }],
    ['text where a number belongs', { status: '200' }],
    ['null', { resource: null }],
    ['a function where JSON belongs', { data: () => 1 }],
    ['a line without end', { note: 'x'.repeat(MAX_LINE_CHARS) }],
  ])('refuses %s', (_name, wrong) => {
    expect(() => formatLine(raw({ ...event, ...wrong }), 1, GENESIS)).toThrow(
      expect.objectContaining({ code: 'audit-unavailable' }),
    )
  })

  test('leaves the chain where it was when it refuses', () => {
    const chain = createChain()
    chain.next(event)
    const before = chain.head
    expect(() => chain.next(raw({ ...event, txn: 1 }))).toThrow('txn')
    expect(chain.head).toEqual(before)
  })
})

describe('readLine()', () => {
  test('reads back any text and any JSON', () => {
    const text = fc.string({ unit: 'binary' })
    fc.assert(
      fc.property(text, fc.jsonValue(), (note, data) => {
        const line = readLine(formatLine(raw({ ...event, note, data }), 1, GENESIS).text)
        expect(line?.note).toBe(note)
        expect(JSON.stringify(line?.data)).toBe(JSON.stringify(data))
      }),
    )
  })

  const good = formatLine({ ...event, note: 'hello' }, 1, GENESIS).text
  const rehash = (body: string): string => `${body},"hash":"${createHash('sha256').update(body).digest('base64url')}"}`
  const body = good.slice(0, -54)
  test.each([
    ['an edit', good.replace('hello', 'hallo')],
    ['white space', good.replace(',"id"', ', "id"')],
    ['another hash', good.replace(/"hash":"./, '"hash":"_')],
    ['a carriage return', `${good}\r`],
    ['a byte order mark', `\uFEFF${good}`],
    ['half a line', good.slice(0, 40)],
    ['nothing', ''],
    ['a second seq behind a correct hash', rehash(body.replace('"seq":1', '"seq":1,"seq":2'))],
    ['white space behind a correct hash', rehash(body.replace('"seq":1', '"seq": 1'))],
    ['an escape nobody writes behind a correct hash', rehash(body.replace('hello', '\\u0068ello'))],
    ['text as seq behind a correct hash', rehash(body.replace('"seq":1', '"seq":"1"'))],
    ['a list behind a correct hash', rehash(`[${body.slice(1)}`)],
  ])('refuses %s', (_name, text) => {
    expect(readLine(body.length > 0 ? good : '')).toBeDefined()
    expect(readLine(text)).toBeUndefined()
  })
})
