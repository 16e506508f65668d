import { keep } from './corpus.ts'
import { readOptions } from './run/options.ts'
import { runFuzz } from './run/run-fuzz.ts'
import { renderTable } from './run/table.ts'
import { strictnessPage } from './strictness/page.ts'
import { TARGETS } from './target/targets.ts'

const options = readOptions(
  process.argv.slice(2),
  TARGETS.map(({ name }) => name),
)
if (typeof options === 'string') {
  console.error(options)
  process.exit(2)
}

if (options.list) {
  process.stdout.write(strictnessPage())
  process.exit(0)
}

const PROGRESS_MS = 2000
let last = 0
const report = await runFuzz(options, (done, left, differences) => {
  const now = performance.now()
  if (!process.stderr.isTTY || now - last < PROGRESS_MS) return
  last = now
  const remaining = options.cases > 0 ? `of ${options.cases}` : `${Math.max(0, Math.round(left))} s left`
  process.stderr.write(`\r${done.toLocaleString('en-US')} cases, ${remaining}, ${differences} differences   `)
})
if (process.stderr.isTTY) process.stderr.write('\n')

const kept = report.findings.map(({ target, what, input }) => ({ what, file: keep({ target, note: what, input }) }))
console.log(options.json ? JSON.stringify({ ...report, kept }) : renderTable(report))
for (const { what, file } of kept) console.error(`✗ ${what}\n  kept as packages/fuzz/corpus/${file}`)
const differences = report.tallies.reduce((sum, tally) => sum + tally.differences, 0)
process.exit(differences === 0 ? 0 : 1)
