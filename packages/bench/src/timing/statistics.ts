import type { Cost, Sample } from './work.ts'

export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** Middle value; of an even number of values the mean of the middle two. Throws RangeError without any. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle]
  const lower = sorted[sorted.length % 2 === 1 ? middle : middle - 1]
  if (upper === undefined || lower === undefined) throw new RangeError('A median needs at least one value.')
  return (lower + upper) / 2
}

/** Value below which a tenth of the values lie, at least one: the cost of whoever was disturbed least. */
export function quietest(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const value = sorted[Math.floor((sorted.length - 1) / 10)]
  if (value === undefined) throw new RangeError('A decile needs at least one value.')
  return value
}

export function spread(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) }
}

/** Which of the two costs counts. Work that never waits is compared by `cpu`, which other processes cannot disturb. */
export type Measure = keyof Cost

/**
 * Paired ratios: one per round, each against the baseline of its own round, so that a machine that changes speed
 * between rounds changes both sides. `lower` = cost (own / base), `higher` = throughput (base / own).
 */
export function pairedRatios(samples: readonly Sample[], measure: Measure, better: 'lower' | 'higher'): number[] {
  return samples.map((sample) => {
    const [own, base] = [sample.own[measure], sample.base[measure]]
    if (!(own > 0) || !(base > 0)) throw new RangeError('A timing must be positive; the clock or the work is broken.')
    return better === 'lower' ? own / base : base / own
  })
}

/** The quietest decile of the work against the quietest decile of its baseline: what is left once noise is taken away. */
export function quietRatio(samples: readonly Sample[], measure: Measure, better: 'lower' | 'higher'): number {
  const own = quietest(samples.map((sample) => sample.own[measure]))
  const base = quietest(samples.map((sample) => sample.base[measure]))
  return better === 'lower' ? own / base : base / own
}
