import type { MemorySample } from '../world/records.ts'
import type { Violation } from './violation.ts'

export interface Growth {
  readonly name: string
  readonly seconds: number
  /** Mean of the first and of the last quarter, bytes. */
  readonly rss: readonly [number, number]
  readonly heap: readonly [number, number]
}

/** A run that is shorter shows how a process warms up, not whether it leaks. */
const JUDGED_SECONDS = 300
const LEAK_BYTES = 64 * 1024 * 1024

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / (values.length || 1)

/** First quarter against last quarter of a process's life. */
export function growthOf(name: string, samples: readonly MemorySample[]): Growth | undefined {
  const [first, last] = [samples[0], samples.at(-1)]
  if (first === undefined || last === undefined || samples.length < 4) return undefined
  const quarter = Math.ceil(samples.length / 4)
  const pair = (of: (sample: MemorySample) => number) =>
    [mean(samples.slice(0, quarter).map(of)), mean(samples.slice(-quarter).map(of))] as const
  const seconds = (last.at - first.at) / 1000
  return { name, seconds, rss: pair(({ rss }) => rss), heap: pair(({ heap }) => heap) }
}

/** Judges only who lived long enough. */
export function checkGrowth(growths: readonly Growth[]): Violation[] {
  return growths
    .filter(({ seconds, heap: [first, last] }) => seconds >= JUDGED_SECONDS && last > 2 * first + LEAK_BYTES)
    .map(({ name, heap: [first, last] }) => ({
      rule: 'memory is bounded',
      detail: `${name}: heap from ${Math.round(first / 2 ** 20)} to ${Math.round(last / 2 ** 20)} MiB`,
      grants: [],
    }))
}
