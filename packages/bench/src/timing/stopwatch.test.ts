import { describe, expect, test } from 'vitest'
import { createStopwatch } from './stopwatch.ts'
import type { Work } from './work.ts'

function clocked(milliseconds: number, more: Partial<Work> = {}) {
  let time = 0
  const seen: string[] = []
  const work: Work = {
    prepare: (operations) => {
      time += 1000 // what is not timed may take long
      seen.push(`prepare ${operations}`)
    },
    run(operations) {
      time += operations * milliseconds
      seen.push(`run ${operations}`)
    },
    after: () => void seen.push('after'),
    ...more,
  }
  const stopwatch = createStopwatch({ wall: () => time, cpu: () => time / 2 })
  return { stopwatch, work, seen }
}

describe('slice()', () => {
  test('leaves preparation off the clock', async () => {
    const { stopwatch, work } = clocked(0.5)
    expect(await stopwatch.slice(work, 60)).toEqual({ wall: 500_000, cpu: 250_000 })
  })

  test('fills the time it is given once it knows the work', async () => {
    const { stopwatch, work, seen } = clocked(0.5)
    await stopwatch.warmUp(work, 200)
    seen.length = 0
    await stopwatch.slice(work, 60)
    expect(seen).toEqual(['prepare 120', 'run 120', 'after'])
  })

  test('prepares no more than a batch at a time', async () => {
    const { stopwatch, work, seen } = clocked(0.5, { batch: 50 })
    await stopwatch.warmUp(work, 200)
    seen.length = 0
    await stopwatch.slice(work, 60)
    const parts = ['prepare 50', 'run 50', 'prepare 50', 'run 50', 'prepare 20', 'run 20', 'after']
    expect(seen).toEqual(parts)
  })

  test('lets a work that goes wrong fail', async () => {
    const { stopwatch, work } = clocked(1, { run: () => Promise.reject(new Error('refused')) })
    await expect(stopwatch.slice(work, 60)).rejects.toThrow('refused')
  })
})

test('warmUp() ends even where the clock does not move', async () => {
  const { stopwatch, work } = clocked(0)
  await expect(stopwatch.warmUp(work, 0.01)).resolves.toBeUndefined()
})
