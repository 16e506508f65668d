import { TARGETS } from '../target/targets.ts'
import type { Target } from '../target/target.ts'
import { fuzzTarget, minimise } from './fuzz-target.ts'
import type { Finding } from './fuzz-target.ts'
import type { FuzzOptions } from './options.ts'
import { newTally } from './tally.ts'
import type { Tally } from './tally.ts'

export interface FuzzReport {
  readonly seed: number
  readonly seconds: number
  readonly cases: number
  readonly tallies: readonly Tally[]
  readonly findings: readonly Finding[]
}

const ROUND_SECONDS = 0.5
const FIRST_ROUND = 64
/** One fault shows in many cases: each kind of difference is made small and kept once. */
const MAX_FINDINGS = 20

/** Goes round the targets until time or cases are over, giving each the same time. */
export async function runFuzz(
  options: FuzzOptions,
  progress: (done: number, left: number, differences: number) => void,
): Promise<FuzzReport> {
  const targets = TARGETS.filter(({ name }) => options.only.length === 0 || options.only.includes(name))
  const states = targets.map((target) => ({ target, tally: newTally(target.name), next: 0 }))
  const found = new Map<string, Finding & { readonly of: Target }>()
  const started = performance.now()
  const elapsed = () => (performance.now() - started) / 1000
  const done = () => states.reduce((sum, { tally }) => sum + tally.cases, 0)
  const isOver = () => (options.cases > 0 ? done() >= options.cases : elapsed() >= options.seconds)

  while (!isOver()) {
    for (const state of states) {
      const { target, tally } = state
      const rate = tally.seconds > 0 ? tally.cases / tally.seconds : 0
      const to = state.next + Math.max(FIRST_ROUND, Math.round(rate * ROUND_SECONDS))
      const findings = await fuzzTarget(target, tally, { seed: options.seed, from: state.next, to })
      state.next = to
      for (const finding of findings.filter(({ what }) => !found.has(what)).slice(0, MAX_FINDINGS - found.size))
        found.set(finding.what, { ...finding, of: target })
      progress(done(), options.seconds - elapsed(), sumOf(states.map(({ tally: one }) => one.differences)))
      if (isOver()) break
    }
  }
  const findings: Finding[] = []
  for (const { of, ...finding } of found.values()) findings.push(await minimise(of, finding))
  return { seed: options.seed, seconds: elapsed(), cases: done(), tallies: states.map(({ tally }) => tally), findings }
}

const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, number) => sum + number, 0)
