import { describe, expect, test } from 'vitest'
import { createChain } from './chain.ts'
import type { AuditEvent, TrailLine } from './event.ts'
import { memoryTrail } from './memory-trail.ts'
import { createEventMerger } from './merge-events.ts'
import { fitsOrigin, sentLine } from './origin.ts'
import { parseVerifierEvent } from './parse-event.ts'
import { verifyTrail } from './verify-trail.ts'
import type { JsonValue } from '../json/value.ts'

const AUDIENCE = 'https://a.example'
const CHAIN = 'ch_aaaaaaaaaaaa'

/** The events of one source as they are sent, chained. */
function sent(count: number, { chain: name = CHAIN, source = `verifier:${AUDIENCE}#1`, tag = '' } = {}): AuditEvent[] {
  const chain = createChain()
  return Array.from({ length: count }, (_, index) => {
    const event: AuditEvent = { id: `ev_${tag}0000000${index + 1}`, type: 'use.ended', time: index + 1, source }
    return sentLine(JSON.parse(chain.next(event)) as TrailLine, name)
  })
}
const stamp = () => ({ id: 'ev_finding0', time: 9, source: 'broker:https://b.example' })
async function merged(...batches: readonly (readonly AuditEvent[])[]) {
  const trail = memoryTrail()
  const merger = createEventMerger(trail, { stamp })
  for (const batch of batches) await merger.merge(batch)
  return { trail, lines: await trail.events(), verdict: await verifyTrail(trail.lines()) }
}
const [one, two, three, four] = sent(4) as [AuditEvent, AuditEvent, AuditEvent, AuditEvent]
const fork = sent(3, { tag: 'x' })

describe('createEventMerger() with chained sources', () => {
  test('says nothing where the chain goes on, whatever is sent again', async () => {
    const { lines, verdict } = await merged([one, two], [one, two], [two, three], [four])
    expect(lines.map(({ id }) => id)).toEqual([one, two, three, four].map(({ id }) => id))
    expect(verdict).toMatchObject({
      ok: true,
      sources: [{ source: `verifier:${AUDIENCE}`, chain: CHAIN, lines: 4, first: 1, head: { seq: 4 }, broken: 0 }],
    })
  })

  test.each([
    ['a gap', [one, four], '2 lines before number 4 did not arrive'],
    ['a reorder', [one, two, four, three], 'number 3 came after number 4'],
    ['another line at a number that was there', [one, two, ...fork.slice(1, 2)], 'number 2 came after number 2'],
    ['a line after another one', [one, two, ...fork.slice(2, 3)], 'number 3 follows another number 2'],
  ])('records %s, takes the event, and the verification says so too', async (_name, events, detail) => {
    const { lines, verdict } = await merged(events)
    expect(lines.filter(({ type }) => type === 'trail.gap').at(-1)).toMatchObject({
      detail: expect.stringContaining(detail) as string,
      source: 'broker:https://b.example',
      data: { chain: CHAIN },
    })
    expect(lines.filter(({ type }) => type !== 'trail.gap').map(({ id }) => id)).toEqual(events.map(({ id }) => id))
    expect(verdict).toMatchObject({ ok: true, sources: [{ breaks: expect.arrayContaining([]) as unknown }] })
    expect(verdict.ok && verdict.sources[0]?.broken).toBeGreaterThan(0)
  })

  test('goes on after a restart from the tail it is told', async () => {
    const before = await merged([one, two])
    const trail = memoryTrail()
    const merger = createEventMerger(trail, { stamp })
    merger.know(before.lines)
    expect(await merger.merge([one, two, three])).toBe(1)
    expect(await merger.merge([four])).toBe(1)
    expect((await trail.events()).map(({ type }) => type)).toEqual(['use.ended', 'use.ended'])
  })

  test('makes no finding of an event that is sent again because it did not become durable', async () => {
    const trail = memoryTrail()
    const answers = [undefined, Promise.reject(new Error('disk'))]
    const sink = { ...trail, append: (event: AuditEvent) => answers.shift() ?? trail.append(event) }
    const merger = createEventMerger(sink, { stamp })
    await expect(merger.merge([one, two])).rejects.toThrow('disk')
    await merger.merge([one, two, three])
    expect((await trail.events()).map(({ id }) => id)).toEqual([one.id, two.id, three.id])
  })

  test('keeps the chains of two APIs apart, and takes a new instance for the same source', async () => {
    const other = sent(2, { source: 'verifier:https://other.example', tag: 'o' })
    const { verdict } = await merged([one], other, [two])
    expect(verdict.ok && verdict.sources.map(({ source, broken }) => [source, broken])).toEqual([
      [`verifier:${AUDIENCE}`, 0],
      ['verifier:https://other.example', 0],
    ])
  })

  test('forgets the chain that was silent for longest, without a false finding', async () => {
    const trail = memoryTrail()
    const merger = createEventMerger(trail, { stamp, maxSources: 1 })
    await merger.merge([one])
    await merger.merge(sent(1, { chain: 'ch_bbbbbbbbbbbb', tag: 'b' }))
    await merger.merge([three])
    expect(await trail.events({ type: 'trail.gap' })).toEqual([])
  })
})

describe('parseVerifierEvent() with an origin', () => {
  const parsed = (event: unknown) => parseVerifierEvent(JSON.parse(JSON.stringify(event)) as JsonValue, AUDIENCE)
  test('takes the event its origin has the hash of', () => {
    expect(parsed(two)).toEqual({ ok: true, value: two })
    expect(fitsOrigin(two)).toBe(true)
  })

  test.each<[string, object]>([
    ['another time', { ...two, time: 99 }],
    ['a member added', { ...two, status: 200 }],
    ['another number', { ...two, origin: { ...two.origin, seq: 3 } }],
    ['another line before', { ...two, origin: { ...two.origin, prev: one.origin?.prev } }],
    ['a number below one', { ...two, origin: { ...two.origin, seq: 0 } }],
    ['a fifth member', { ...two, origin: { ...two.origin, more: 1 } }],
    ['a chain that is no name', { ...two, origin: { ...two.origin, chain: 'x y' } }],
    ['an origin that is a text', { ...two, origin: 'ch' }],
  ])('refuses %s', (_name, event) => {
    expect(parsed(event)).toMatchObject({ ok: false, reason: 'request-invalid' })
  })
})
