// Mutates the checks and says how many mutants the tests noticed.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { install, note, root, runTool } from './workspace.mjs'

const NOTICED = new Set(['Killed', 'Timeout'])
const MISSED = new Set(['Survived', 'NoCoverage'])

/** `--only=proof,token` for some parts; whatever else is given goes to the runner. */
export async function mutation(args) {
  const only = args.find((arg) => arg.startsWith('--only='))?.slice('--only='.length)
  await install({ withTools: true })
  const rest = args.filter((arg) => !arg.startsWith('--only='))
  const code = await runTool(
    '@stryker-mutator/core',
    ['run', 'tools/mutation/stryker.config.mjs', '--cleanTempDir', 'always', ...rest],
    { from: 'tools', command: 'stryker', stdout: 'stderr', env: only === undefined ? {} : { MUTATION_PARTS: only } },
  )
  if (code === 0) report()
  return code
}

function report() {
  const { files } = JSON.parse(readFileSync(join(root, 'node_modules/.cache/mutation.json'), 'utf8'))
  const all = Object.entries(files).flatMap(([file, { mutants }]) => mutants.map((mutant) => ({ file, ...mutant })))
  const noticed = all.filter(({ status }) => NOTICED.has(status)).length
  const missed = all.filter(({ status }) => MISSED.has(status))
  for (const { file, location, mutatorName, replacement } of missed) {
    const text = (replacement ?? '').replace(/\s+/g, ' ').slice(0, 80)
    process.stdout.write(`${file}:${location.start.line}:${location.start.column} ${mutatorName} ${text}\n`)
  }
  const score = ((100 * noticed) / (noticed + missed.length)).toFixed(1)
  process.stdout.write(`mutation score ${score} %: ${noticed} of ${noticed + missed.length} mutants noticed\n`)
  note('The report with every mutant in its place: node_modules/.cache/mutation.html')
}
