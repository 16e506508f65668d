import type { Verdict } from '../target/target.ts'

/** What came out for one target. */
export interface Tally {
  readonly target: string
  cases: number
  seconds: number
  both: number
  neither: number
  /** By id of the reason. */
  readonly stricter: Record<string, number>
  differences: number
}

export const newTally = (target: string): Tally => ({
  target,
  cases: 0,
  seconds: 0,
  both: 0,
  neither: 0,
  stricter: {},
  differences: 0,
})

export function count(tally: Tally, verdict: Verdict): void {
  tally.cases += 1
  if (verdict.kind === 'stricter') tally.stricter[verdict.id] = (tally.stricter[verdict.id] ?? 0) + 1
  else if (verdict.kind === 'difference') tally.differences += 1
  else tally[verdict.kind] += 1
}
