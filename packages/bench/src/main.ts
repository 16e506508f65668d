import { cpus } from 'node:os'
import { isChosen, parseOptions } from './command/options.ts'
import { renderTable, renderVerdict } from './report/table.ts'
import { runSuites } from './suite/run-suites.ts'
import { suites } from './suite/suites.ts'

// Mapping stacks to sources makes every Error a peer throws several times dearer than in production.
process.setSourceMapsEnabled(false)

const options = parseOptions(process.argv.slice(2))
const started = performance.now()
const machine = { processor: cpus()[0]?.model ?? 'unknown', cores: cpus().length, node: process.version }
const progress = (text: string): void => {
  process.stderr.write(`[bench] ${((performance.now() - started) / 1000).toFixed(0).padStart(3)} s  ${text}\n`)
}

const { rows, broken } = await runSuites(suites, {
  pace: options.quick ? 'quick' : 'full',
  isChosen: (id) => isChosen(id, options.only),
  progress,
})
progress('done')
for (const { id, problem } of broken) process.stderr.write(`[bench] ${id} fails its check: ${problem}\n`)
if (rows.length === 0 && broken.length === 0) process.stderr.write('[bench] No row has an id that starts so.\n')

if (options.json) process.stdout.write(`${JSON.stringify({ rows, broken, machine })}\n`)
else if (rows.length > 0) {
  process.stdout.write(`\n${renderTable(rows)}\n\n${renderVerdict(rows)}\n`)
  process.stdout.write(
    `${machine.processor}, ${machine.cores} cores, Node ${machine.node}. Ratios compare, times do not.\n`,
  )
}
process.exitCode = rows.length === 0 || broken.length > 0 ? 1 : 0
