import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AuditEvent } from './event.ts'
import { fileTrail } from './file-trail.node.ts'

const T0 = 1_800_000_000
const SOURCE = 'verifier:https://a.example'
const BROKER = 'broker:https://b.example'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hallpass-find-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const id = (n: number) => `ev_${String(n).padStart(8, '0')}`
const eventOf = (n: number, change: Partial<AuditEvent> = {}): AuditEvent => ({
  id: id(n),
  type: 'use.started',
  time: T0 + n,
  source: SOURCE,
  ...change,
})
async function trailOf(count: number, change: (n: number) => Partial<AuditEvent> = () => ({})) {
  const trail = fileTrail({ path: join(folder, 'audit.jsonl'), maxBufferedEvents: 100_000 })
  for (let n = 1; n <= count; n++) await trail.append(eventOf(n, change(n)))
  return async (ids: readonly string[], since = 0, source = SOURCE) =>
    (
      await trail.holds?.(
        ids.map((id) => ({ id, source })),
        since,
      )
    )?.map((event) => event.id)
}

describe('fileTrail() holds()', () => {
  test('finds events anywhere in a file of many blocks, with letters of several bytes', async () => {
    const held = await trailOf(9000, (n) => ({ detail: `${'ü€'.repeat(100)}${n}` }))
    const asked = [1, 2, 2999, 3000, 6001, 8999, 9000]
    expect(await held([...asked.map(id), id(9001), 'x'])).toEqual(asked.map(id))
  })

  test('finds long lines at the edges of blocks', async () => {
    const held = await trailOf(100, () => ({ detail: 'x'.repeat(40_000) }))
    expect(await held(Array.from({ length: 100 }, (_, n) => id(n + 1)))).toHaveLength(100)
  })

  test('takes no id that only stands inside an event', async () => {
    const held = await trailOf(3, () => ({ data: { id: id(77) }, follows: id(78), note: `"id":"${id(79)}"` }))
    expect(await held([id(77), id(78), id(79), id(2)])).toEqual([id(2)])
  })

  test('looks no further back than it is asked to, by the times of this trail’s own events', async () => {
    const held = await trailOf(9000, (n) => ({
      detail: 'x'.repeat(300),
      ...(n % 2 === 0 ? { time: 1 } : { source: BROKER }),
    }))
    expect(await held([id(1), id(8001)], T0 + 8000, BROKER)).toEqual([id(8001)])
    expect(await held([id(1), id(8001)], T0, BROKER)).toEqual([id(1), id(8001)])
  })

  test('takes no event of another source for it', async () => {
    const held = await trailOf(3)
    expect(await held([id(2)], 0, 'verifier:https://other.example')).toEqual([])
  })

  test.each<[string, Partial<AuditEvent>]>([
    ['uses that a broker found in its ledger long after they began', { time: T0 - 9000, data: { recovered: true } }],
    ['an API that says it was long ago', { time: 1 }],
    ['an API that writes the name of a broker', { time: 1, data: { x: 1, source: BROKER, time: 1 } }],
    ['what a broker held back while the trail took nothing', { time: T0 - 9000, source: BROKER }],
  ])('looks past %s', async (_name, change) => {
    const held = await trailOf(9000, (n) => ({
      detail: 'x'.repeat(300),
      source: BROKER,
      ...(n > 4000 && n % 2 === 0 && change),
    }))
    expect(await held([id(3999)], T0 + 3500, BROKER)).toEqual([id(3999)])
  })

  test('knows nothing in an empty file', async () => {
    expect(await (await trailOf(0))([id(1)])).toEqual([])
  })
})
