import type { AuditEvent } from '@hallpass/core'
import { memoryTrail } from '@hallpass/core'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createRefusalTally } from './refusal-tally.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function setUp() {
  const audit = memoryTrail()
  const state = { fails: false, next: 0 }
  const sink = {
    ...audit,
    append: (event: AuditEvent) => {
      if (state.fails) throw new Error('down')
      void audit.append(event)
    },
  }
  const nextId = () => `ev_test-${(state.next += 1)}`
  const tally = createRefusalTally({ audit: sink, source: 'verifier:x', audience: 'x', windowSeconds: 60, nextId })
  const rows = async () => (await audit.events()).map(({ id, type, reason, count }) => ({ id, type, reason, count }))
  return { tally, state, rows }
}

test('createRefusalTally() writes one event per reason and window, however many refusals there were', async () => {
  const { tally, rows } = setUp()
  const ids = new Set(Array.from({ length: 10_000 }, () => tally.note('token-malformed', 100)))
  const other = tally.note('credential-missing', 100)
  expect(await rows()).toEqual([])
  await vi.advanceTimersByTimeAsync(60_000)
  expect(await rows()).toEqual([
    { id: [...ids][0], type: 'traffic.refused', reason: 'token-malformed', count: 10_000 },
    { id: other, type: 'traffic.refused', reason: 'credential-missing', count: 1 },
  ])
})

test('createRefusalTally() starts a new window with a new event', async () => {
  const { tally, rows } = setUp()
  const first = tally.note('token-malformed', 100)
  await tally.flush(130)
  const second = tally.note('token-malformed', 131)
  await tally.flush(140)
  expect((await rows()).map(({ id, count }) => [id, count])).toEqual([
    [first, 1],
    [second, 1],
  ])
})

test('createRefusalTally() keeps counting while the trail is down, and loses nothing', async () => {
  const { tally, state, rows } = setUp()
  state.fails = true
  const first = tally.note('token-malformed', 100)
  await vi.advanceTimersByTimeAsync(60_000)
  tally.note('token-malformed', 170)
  state.fails = false
  await vi.advanceTimersByTimeAsync(60_000)
  expect(await rows()).toEqual([{ id: first, type: 'traffic.refused', reason: 'token-malformed', count: 2 }])
})
