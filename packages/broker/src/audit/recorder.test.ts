import { memoryTrail, type AuditEvent, type AuditSink } from '@hallpass/core'
import { describe, expect, test } from 'vitest'
import { createRecorder } from './recorder.ts'

/** A sink that fails on demand, at once or later. */
function moody() {
  const state = { fails: false, later: false, events: [] as AuditEvent[] }
  const sink: AuditSink = {
    append(event) {
      if (state.later)
        return state.fails
          ? Promise.reject(new Error('full'))
          : Promise.resolve().then(() => void state.events.push(event))
      if (state.fails) throw new Error('full')
      state.events.push(event)
      return undefined
    },
    flush: async () => {},
    close: async () => {},
  }
  return { state, recorder: createRecorder(sink, 'broker:x', () => 1000.12345) }
}

describe('createRecorder()', () => {
  test('record() writes an event of this source with its time in milliseconds', async () => {
    const { state, recorder } = moody()
    const id = await recorder.record('task.opened', { txn: 't' })
    expect(state.events).toEqual([{ id, type: 'task.opened', time: 1000.123, source: 'broker:x', txn: 't' }])
  })

  test.each([false, true])('record() throws when the sink fails (later: %s)', async (later) => {
    const { state, recorder } = moody()
    Object.assign(state, { fails: true, later })
    await expect(recorder.record('task.opened', {})).rejects.toMatchObject({ code: 'audit-unavailable' })
    expect(recorder.waiting()).toBe(0)
  })

  test.each([false, true])(
    'note() keeps what the sink did not take and writes it in order later (later: %s)',
    async (later) => {
      const { state, recorder } = moody()
      Object.assign(state, { fails: true, later })
      const ids = [recorder.note('task.ended', { txn: 'a' }), recorder.note('grant.revoked', { txn: 'b' })]
      await new Promise((resolve) => setImmediate(resolve))
      expect(recorder.waiting()).toBe(2)
      await expect(recorder.record('grant.issued', {})).rejects.toMatchObject({ code: 'audit-unavailable' })
      state.fails = false
      const last = await recorder.record('grant.issued', {})
      expect(state.events.map(({ id }) => id)).toEqual([...ids, last])
      expect(recorder.waiting()).toBe(0)
    },
  )

  test('note() holds room for what happened against refusals without end', async () => {
    const { state, recorder } = moody()
    state.fails = true
    for (let index = 0; index < 5000; index += 1) recorder.note('grant.refused', {})
    const revoked = recorder.note('grant.revoked', {})
    state.fails = false
    expect(await recorder.drain()).toBe(true)
    expect(state.events.some(({ id }) => id === revoked)).toBe(true)
    const lost = state.events.find(({ type }) => type === 'traffic.refused')
    expect(state.events.filter(({ type }) => type === 'grant.refused').length + (lost?.count ?? 0)).toBe(5000)
  })

  test('drain() tells of what there was no room for under one id, until it is told', async () => {
    const { state, recorder } = moody()
    const told: AuditEvent[] = []
    const watched = createRecorder(
      {
        append(event) {
          if (state.fails) throw new Error('full')
          if (event.type === 'traffic.refused') told.push(event)
          return event.type === 'traffic.refused' && told.length === 1 ? Promise.reject(new Error('full')) : undefined
        },
        flush: async () => {},
        close: async () => {},
      },
      'broker:x',
      () => 1000,
    )
    state.fails = true
    for (let index = 0; index < 1001; index += 1) watched.note('grant.refused', {})
    state.fails = false
    expect([await watched.drain(), await watched.drain(), recorder.waiting()]).toEqual([false, true, 0])
    expect(told).toHaveLength(2)
    expect(told[1]).toBe(told[0])
  })

  test('note() cuts an event that no trail would take, so that it blocks nothing', async () => {
    const trail = memoryTrail()
    const recorder = createRecorder(trail, 'broker:x', () => 1000)
    recorder.note('revocation.requested', {
      reason: 'x'.repeat(100_000),
      txn: 't',
      data: { more: 'y'.repeat(100_000) },
    })
    await recorder.record('task.opened', {})
    expect(await trail.events()).toMatchObject([
      { type: 'revocation.requested', txn: 't', reason: 'x'.repeat(512) },
      { type: 'task.opened' },
    ])
  })

  test('drain() is one at a time, so that nothing is written twice', async () => {
    const { state, recorder } = moody()
    state.fails = true
    for (const txn of ['a', 'b', 'c']) recorder.note('task.ended', { txn })
    Object.assign(state, { fails: false, later: true })
    await Promise.all([recorder.drain(), recorder.drain(), recorder.record('task.opened', {})])
    expect(state.events.map(({ txn }) => txn)).toEqual(['a', 'b', 'c', undefined])
  })
})
