import { memoryTrail } from '@hallpass/core'
import { describe, expect, test } from 'vitest'
import { createRecorder } from './recorder.ts'
import { createTraffic, WINDOW_SECONDS } from './traffic.ts'

function traffic() {
  const time = { now: 1_795_300_000 }
  const trail = memoryTrail()
  const counted = createTraffic(
    createRecorder(trail, 'broker:x', () => time.now),
    () => time.now,
  )
  return { time, trail, counted }
}

describe('createTraffic()', () => {
  test('createTraffic() writes one event per reason and minute, under the id it gave out', async () => {
    const { time, trail, counted } = traffic()
    const ids = Array.from({ length: 1000 }, () => counted.refused('proof-missing'))
    counted.refused('agent-unknown')
    expect(new Set(ids).size).toBe(1)
    expect(await trail.events()).toEqual([])
    time.now += WINDOW_SECONDS
    counted.flush()
    expect(await trail.events()).toMatchObject([
      { id: ids[0], reason: 'proof-missing', count: 1000 },
      { reason: 'agent-unknown', count: 1 },
    ])
  })

  test('createTraffic() opens a new window by itself', async () => {
    const { time, trail, counted } = traffic()
    const first = counted.refused('proof-missing')
    time.now += WINDOW_SECONDS
    expect(counted.refused('proof-missing')).not.toBe(first)
    expect(await trail.events()).toMatchObject([{ id: first, count: 1 }])
  })

  test('createTraffic() leaves open windows alone unless told otherwise', async () => {
    const { trail, counted } = traffic()
    counted.refused('proof-missing')
    counted.flush()
    expect(await trail.events()).toEqual([])
    counted.flush(true)
    expect(await trail.events()).toHaveLength(1)
  })
})
