import { median, pairedRatios, quietRatio, spread } from '../timing/statistics.ts'
import type { Measure } from '../timing/statistics.ts'
import type { Sample } from '../timing/work.ts'
import type { RowAim } from './row-aim.ts'

/** One line of the answer. */
export interface Row {
  readonly id: string
  /** Median of the paired ratios. */
  readonly ratio: number
  readonly aim: number | null
  readonly better: 'lower' | 'higher'
  readonly baseline: string
  readonly unit: string
  readonly met: boolean | null
  /** Quietest decile of the rounds against the quietest decile of the baseline: the ratio without most of the noise. */
  readonly best: number
  readonly min: number
  readonly max: number
  readonly rounds: number
  readonly measure: Measure
  /** The same ratio by the other clock: far apart means that somebody waited, or that the machine was busy. */
  readonly otherRatio: number | null
  /** Microseconds per operation, median over the rounds: of this machine and hour, not to be compared across runs. */
  readonly microseconds: number
  readonly baselineMicroseconds: number
  readonly note: string
  /** What else was seen while it was timed; in the JSON only. */
  readonly detail?: Readonly<Record<string, number>>
}

const round = (value: number): number => Number(value.toPrecision(4))

/** Turns a row's samples into its line. */
export function rowOf(
  { id, aim, better, measure, baseline, work }: RowAim,
  samples: readonly Sample[],
  detail?: Row['detail'],
): Row {
  const ratios = spread(pairedRatios(samples, measure, better))
  const ratio = round(ratios.median)
  return {
    id,
    ratio,
    aim,
    better,
    baseline,
    unit: better === 'lower' ? `x the time of one ${baseline}` : `x the throughput of ${baseline}`,
    met: aim === null ? null : better === 'lower' ? ratio <= aim : ratio >= aim,
    best: round(quietRatio(samples, measure, better)),
    min: round(ratios.min),
    max: round(ratios.max),
    rounds: samples.length,
    measure,
    otherRatio: otherRatio(samples, measure === 'cpu' ? 'wall' : 'cpu', better),
    microseconds: round(median(samples.map(({ own }) => own[measure])) / 1000),
    baselineMicroseconds: round(median(samples.map(({ base }) => base[measure])) / 1000),
    note: work,
    ...(detail === undefined ? {} : { detail }),
  }
}

function otherRatio(samples: readonly Sample[], measure: Measure, better: RowAim['better']): number | null {
  const isKnown = samples.every(({ own, base }) => own[measure] > 0 && base[measure] > 0)
  return isKnown ? round(median(pairedRatios(samples, measure, better))) : null
}
