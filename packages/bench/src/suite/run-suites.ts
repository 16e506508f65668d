import { rowOf } from '../row/row.ts'
import type { Row } from '../row/row.ts'
import { interleave } from '../timing/interleave.ts'
import type { Pace } from '../timing/interleave.ts'
import { createStopwatch } from '../timing/stopwatch.ts'
import type { Entry, Suite } from './suite.ts'

export interface RunOptions {
  readonly pace: 'full' | 'quick' | Pace
  readonly isChosen: (id: string) => boolean
  readonly progress: (text: string) => void
}

/** A row whose path did not refuse what it must, or did not permit what it should. Nothing of its suite is timed. */
export interface BrokenRow {
  readonly id: string
  readonly problem: string
}

export interface BenchResult {
  readonly rows: readonly Row[]
  readonly broken: readonly BrokenRow[]
}

const PACE: { readonly full: Pace; readonly quick: Pace } = {
  // Shorter than a slow or a fast spell of a virtual core, so that a slice and its neighbours see the same one.
  full: { rounds: 75, slice: 12, baselineSlice: 6, warmUp: 500 },
  quick: { rounds: 15, slice: 8, baselineSlice: 4, warmUp: 150 },
}

/** Checks, then times, every chosen row, suite after suite. */
export async function runSuites(suites: readonly Suite[], options: RunOptions): Promise<BenchResult> {
  const rows: Row[] = []
  const broken: BrokenRow[] = []
  for (const suite of suites) {
    const chosen = suite.rows.filter(({ id }) => options.isChosen(id))
    if (chosen.length === 0) continue
    const result = await runSuite(suite, new Set(chosen.map(({ id }) => id)), options)
    rows.push(...result.rows)
    broken.push(...result.broken)
  }
  return { rows, broken }
}

async function runSuite(suite: Suite, chosen: ReadonlySet<string>, options: RunOptions): Promise<BenchResult> {
  options.progress([...chosen].join(', '))
  const all = (problem: string): BenchResult => ({ rows: [], broken: [...chosen].map((id) => ({ id, problem })) })
  try {
    if (suite.measure !== undefined) {
      return { rows: await suite.measure(chosen, options.pace === 'full' ? 'full' : 'quick'), broken: [] }
    }
    const open = await suite.open(chosen)
    try {
      const entries = open.entries.filter(({ id }) => chosen.has(id))
      const broken = await findBroken(entries, chosen)
      if (broken.length > 0) return { rows: [], broken }
      const samples = await interleave(entries, paceOf(suite, options.pace), createStopwatch())
      return {
        rows: suite.rows
          .filter(({ id }) => chosen.has(id))
          .map((aim) => rowOf(aim, samples.get(aim.id) ?? [], entries.find(({ id }) => id === aim.id)?.detail?.())),
        broken,
      }
    } finally {
      await open.close?.()
    }
  } catch (error) {
    return all(problemOf(error))
  }
}

async function findBroken(entries: readonly Entry[], chosen: ReadonlySet<string>): Promise<BrokenRow[]> {
  const missing = [...chosen].filter((id) => !entries.some((entry) => entry.id === id))
  const broken: BrokenRow[] = missing.map((id) => ({ id, problem: 'the suite did not bring it' }))
  for (const entry of entries) {
    try {
      await entry.check()
    } catch (error) {
      broken.push({ id: entry.id, problem: problemOf(error) })
    }
  }
  return broken
}

function paceOf(suite: Suite, pace: RunOptions['pace']): Pace {
  return typeof pace === 'object' ? pace : (suite.pace ?? PACE)[pace]
}

const problemOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
