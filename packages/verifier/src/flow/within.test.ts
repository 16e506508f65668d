import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { within } from './within.ts'

describe('within()', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  test('hands on what comes in time, and leaves no timer behind', async () => {
    expect(await within(10, Promise.resolve('value'))).toBe('value')
    await expect(within(10, Promise.reject(new Error('down')))).rejects.toThrow('down')
    expect(vi.getTimerCount()).toBe(0)
  })

  test('rejects at its end, not before, and drops what comes later', async () => {
    let settled = 'waits'
    let answer: (value: string) => void = () => undefined
    const work = new Promise<string>((resolve) => (answer = resolve))
    const outcome = within(10, work).then(
      (value) => (settled = value),
      () => (settled = 'late'),
    )
    await vi.advanceTimersByTimeAsync(9)
    expect(settled).toBe('waits')
    await vi.advanceTimersByTimeAsync(1)
    answer('value')
    await outcome
    expect(settled).toBe('late')
  })
})
