import { describe, expect, test } from 'vitest'
import type { AuditEvent, EventType } from './event.ts'
import { memoryTrail } from './memory-trail.ts'
import { verifyTrail } from './verify-trail.ts'

const eventOf = (n: number, type: EventType = 'use.started', more: Partial<AuditEvent> = {}): AuditEvent => ({
  id: `ev_${n}`,
  type,
  time: 1750000000 + n,
  source: 'broker:https://b.example',
  ...more,
})
const unavailable = expect.objectContaining({ code: 'audit-unavailable' })

describe('memoryTrail()', () => {
  test('chains what it is given', async () => {
    const trail = memoryTrail()
    await trail.append(eventOf(1))
    await trail.append(eventOf(2))
    expect(await verifyTrail(trail.lines())).toMatchObject({ ok: true, lines: 2 })
    expect(await verifyTrail(await trail.events())).toMatchObject({ ok: true, lines: 2 })
  })

  test('answers by task, grant, id and type, and is not fooled by the same words inside data', async () => {
    const trail = memoryTrail()
    await trail.append(eventOf(1, 'task.opened', { txn: 'tsk_1' }))
    await trail.append(eventOf(2, 'grant.issued', { txn: 'tsk_1', jti: 'gr_1' }))
    await trail.append(eventOf(3, 'grant.issued', { txn: 'tsk_2', data: { x: 1, txn: 'tsk_1' } }))
    const ids = async (filter: Parameters<typeof trail.events>[0]) =>
      (await trail.events(filter)).map((line) => line.id)
    expect(await ids({ txn: 'tsk_1' })).toEqual(['ev_1', 'ev_2'])
    expect(await ids({ txn: 'tsk_1', type: 'grant.issued' })).toEqual(['ev_2'])
    expect(await ids({ jti: 'gr_1' })).toEqual(['ev_2'])
    expect(await ids({ id: 'ev_3' })).toEqual(['ev_3'])
    expect(await ids({ id: 'ev_4' })).toEqual([])
  })

  test('refuses when it is full, drops nothing, and still has room for revocations', async () => {
    const trail = memoryTrail({ maxEvents: 2 })
    await trail.append(eventOf(1))
    await trail.append(eventOf(2))
    expect(() => trail.append(eventOf(3))).toThrow(unavailable)
    expect(() => trail.append(eventOf(4, 'grant.refused'))).toThrow(unavailable)
    await trail.append(eventOf(5, 'revocation.requested'))
    await trail.append(eventOf(6, 'task.ended'))
    expect(() => trail.append(eventOf(7, 'task.ended'))).toThrow(unavailable)
    expect((await trail.events()).map((line) => line.id)).toEqual(['ev_1', 'ev_2', 'ev_5', 'ev_6'])
  })

  test('refuses after it was closed', async () => {
    const trail = memoryTrail()
    await trail.close()
    expect(() => trail.append(eventOf(1, 'task.ended'))).toThrow(unavailable)
  })

  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('refuses to hold %s events', (maxEvents) => {
    expect(() => memoryTrail({ maxEvents })).toThrow(expect.objectContaining({ code: 'configuration-invalid' }))
  })
})
