import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { profileRow } from '../profile/profile-row.ts'
import { renderTable, renderVerdict } from '../report/table.ts'
import { runSuites } from '../suite/run-suites.ts'
import type { Suite } from '../suite/suite.ts'
import { suites } from '../suite/suites.ts'
import { isChosen, parseOptions } from './options.ts'

/** Runs what was asked for: the answer to stdout, progress to stderr. Gives the exit code. */
export async function runBench(args: readonly string[]): Promise<number> {
  const options = parseOptions(args)
  if (options.profile !== undefined) return runProfile(options.profile)
  const started = performance.now()
  const machine = { processor: cpus()[0]?.model ?? 'unknown', cores: cpus().length, node: process.version }
  const note = (text: string): void => void process.stderr.write(`[bench] ${text}\n`)

  const { rows, broken } = await runSuites(options.only.length === 0 ? suites.filter(runsUnasked) : suites, {
    pace: options.quick ? 'quick' : 'full',
    isChosen: (id) => isChosen(id, options.only),
    progress: note,
  })
  const seconds = Math.round((performance.now() - started) / 1000)
  note(`${rows.length} rows in ${seconds} s`)
  for (const { id, problem } of broken) note(`${id} cannot be timed: ${problem}`)
  if (rows.length === 0 && broken.length === 0) note('No row has an id that starts so.')

  const { processor, cores, node } = machine
  if (options.json) process.stdout.write(`${JSON.stringify({ rows, broken, machine, seconds })}\n`)
  else if (rows.length > 0) {
    process.stdout.write(`\n${renderTable(rows)}\n\n${renderVerdict(rows)}\n`)
    process.stdout.write(`${processor}, ${cores} cores, Node ${node}. Ratios compare, times do not.\n`)
  }
  return rows.length === 0 || broken.length > 0 ? 1 : 0
}

const runsUnasked = ({ onlyWhenNamed }: Suite): boolean => onlyWhenNamed !== true

const TOP = 15

/** Says which functions one row spends its time in, and keeps the whole profile for a viewer. */
async function runProfile(id: string): Promise<number> {
  const { profile, times } = await profileRow(suites, id)
  const file = `${id}.cpuprofile`
  writeFileSync(file, JSON.stringify(profile))
  for (const { name, where, share } of times.slice(0, TOP)) {
    process.stdout.write(`${(share * 100).toFixed(1).padStart(5)} %  ${name}  ${where}\n`)
  }
  process.stderr.write(`[bench] the whole profile is in ${file}\n`)
  return 0
}
