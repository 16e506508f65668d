import { describe, expect, test } from 'vitest'
import type { AuditEvent, AuditSink } from './event.ts'
import { GENESIS } from './line.ts'
import { memoryTrail } from './memory-trail.ts'
import { createEventMerger } from './merge-events.ts'

const eventOf = (id: string, source = 'verifier:https://a.example#1'): AuditEvent => ({
  id,
  type: 'use.ended',
  time: 1750000000,
  source,
})

describe('createEventMerger() beside an API that names itself anew with every event', () => {
  const floods = Array.from({ length: 40 }, (_, n): AuditEvent => ({
    id: `ev_flood${String(n).padStart(4, '0')}`,
    type: 'use.refused',
    time: 1,
    source: `verifier:https://b.example#${n}`,
    origin: { chain: `ch_flood${String(n).padStart(4, '0')}`, seq: 1, prev: GENESIS, hash: GENESIS },
  }))
  const sent = (seq: number): AuditEvent => ({
    id: `ev_of_a_0000${seq}`,
    type: 'use.refused',
    time: 1,
    source: 'verifier:https://a.example#1',
    origin: { chain: 'ch_of_a_0000', seq, prev: GENESIS, hash: GENESIS },
  })

  test('still knows what another API sent, and the end of its chain', async () => {
    const trail = memoryTrail()
    const merger = createEventMerger(trail, {
      maxSources: 8,
      stamp: () => ({ id: 'ev_x', time: 1, source: 'broker:b' }),
    })
    expect(await merger.merge([sent(1)])).toBe(1)
    await merger.merge(floods)
    expect(await merger.merge([sent(1)])).toBe(0)
    await merger.merge([sent(3)])
    expect(await trail.events({ type: 'trail.gap' })).toHaveLength(1)
  })
})

describe('createEventMerger()', () => {
  test('appends each event once, however often it is sent', async () => {
    const trail = memoryTrail()
    const merger = createEventMerger(trail)
    expect(await merger.merge([eventOf('ev_1'), eventOf('ev_2'), eventOf('ev_1')])).toBe(2)
    expect(await merger.merge([eventOf('ev_2'), eventOf('ev_3')])).toBe(1)
    expect((await trail.events()).map((line) => line.id)).toEqual(['ev_1', 'ev_2', 'ev_3'])
  })

  test('does not let one source hide the events of another', async () => {
    const merger = createEventMerger(memoryTrail())
    expect(await merger.merge([eventOf('ev_1'), eventOf('ev_1', 'verifier:https://b.example')])).toBe(2)
  })

  test('keeps time and source of the event', async () => {
    const trail = memoryTrail()
    await createEventMerger(trail).merge([eventOf('ev_1')])
    expect(await trail.events()).toMatchObject([{ time: 1750000000, source: 'verifier:https://a.example#1', seq: 1 }])
  })

  test('skips what it was told this process recorded itself', async () => {
    const merger = createEventMerger(memoryTrail())
    merger.know([eventOf('ev_1')])
    expect(await merger.merge([eventOf('ev_1'), eventOf('ev_2')])).toBe(1)
  })

  test('remembers as many ids and sources as it may, the newest', async () => {
    const merger = createEventMerger(memoryTrail(), { idsPerSource: 2, maxSources: 2 })
    await merger.merge([eventOf('ev_1'), eventOf('ev_2'), eventOf('ev_3')])
    expect(await merger.merge([eventOf('ev_2'), eventOf('ev_3')])).toBe(0)
    expect(await merger.merge([eventOf('ev_1')])).toBe(1)
    await merger.merge([eventOf('ev_1', 'verifier:b'), eventOf('ev_1', 'verifier:c')])
    expect(await merger.merge([eventOf('ev_3')])).toBe(1)
  })

  test('accepts again what the trail could not take', async () => {
    const trail = memoryTrail({ maxEvents: 1 })
    const merger = createEventMerger(trail)
    const started = { ...eventOf('ev_2'), type: 'use.started' } as const
    expect(() => merger.merge([eventOf('ev_1'), started])).toThrow(
      expect.objectContaining({ code: 'audit-unavailable' }),
    )
    expect(() => merger.merge([started])).toThrow(expect.objectContaining({ code: 'audit-unavailable' }))
  })

  test('accepts again what did not become durable', async () => {
    const answers = [Promise.reject(new Error('disk')), Promise.resolve()]
    const sink: AuditSink = { append: () => answers.shift(), flush: async () => {}, close: async () => {} }
    const merger = createEventMerger(sink)
    await expect(merger.merge([eventOf('ev_1')])).rejects.toThrow('disk')
    expect(await merger.merge([eventOf('ev_1')])).toBe(1)
  })

  test('leaves no promise behind when a later event of the batch cannot be written', async () => {
    const lost: unknown[] = []
    const onLost = (reason: unknown) => void lost.push(reason)
    process.on('unhandledRejection', onLost)
    const append = (event: AuditEvent) => {
      if (event.id === 'ev_2') throw new Error('too long')
      return Promise.reject(new Error('disk'))
    }
    const merger = createEventMerger({ append, flush: async () => {}, close: async () => {} })
    await expect(merger.merge([eventOf('ev_1'), eventOf('ev_2')])).rejects.toThrow('disk')
    await new Promise((resolve) => setTimeout(resolve))
    process.off('unhandledRejection', onLost)
    expect(lost).toEqual([])
  })

  test('says "known" only when the first copy is on disk', async () => {
    const order: string[] = []
    const sink: AuditSink = {
      append: () => undefined,
      flush: async () => void order.push('flushed'),
      close: async () => {},
    }
    const merger = createEventMerger(sink)
    await merger.merge([eventOf('ev_1')])
    await merger.merge([eventOf('ev_1')])
    expect(order).toEqual(['flushed'])
  })
})
