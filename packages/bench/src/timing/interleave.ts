import { rotation } from './rotation.ts'
import type { Stopwatch } from './stopwatch.ts'
import type { Contender, Cost, Sample, Work } from './work.ts'

export interface Pace {
  readonly rounds: number
  /** Milliseconds of one contender's slice. */
  readonly slice: number
  /** Milliseconds of the baseline's slice on either side of it. */
  readonly baselineSlice: number
  readonly warmUp: number
}

const mean = (one: Cost, other: Cost): Cost => ({ wall: (one.wall + other.wall) / 2, cpu: (one.cpu + other.cpu) / 2 })

/**
 * Runs all contenders in turn, round after round. Each slice lies between two slices of its own baseline, and the mean
 * of the two is what it is compared with: on a machine whose speed drifts, neighbours in time are comparable.
 */
export async function interleave(
  contenders: readonly Contender[],
  pace: Pace,
  stopwatch: Stopwatch,
): Promise<Map<string, Sample[]>> {
  const works = new Set(contenders.flatMap(({ work, baseline }) => [baseline, work]))
  for (const work of works) await stopwatch.warmUp(work, pace.warmUp)

  const samples = new Map<string, Sample[]>(contenders.map(({ id }) => [id, []]))
  for (let round = 0; round < pace.rounds; round++) {
    let last: { readonly work: Work; readonly cost: Cost } | undefined
    for (const { id, work, baseline } of rotation(contenders, round)) {
      const before = last?.work === baseline ? last.cost : await stopwatch.slice(baseline, pace.baselineSlice)
      const own = await stopwatch.slice(work, pace.slice)
      const after = await stopwatch.slice(baseline, pace.baselineSlice)
      samples.get(id)?.push({ own, base: mean(before, after) })
      last = { work: baseline, cost: after }
    }
  }
  return samples
}
