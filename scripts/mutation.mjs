// Mutates the checks and says how many mutants the tests noticed.
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
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

/** Survivors with their places, then the score of each folder and of everything. */
function report() {
  const { files } = JSON.parse(readFileSync(join(root, 'node_modules/.cache/mutation.json'), 'utf8'))
  const all = Object.entries(files).flatMap(([file, { mutants }]) => mutants.map((mutant) => ({ file, ...mutant })))
  for (const { file, location, mutatorName, replacement } of all.filter(({ status }) => MISSED.has(status))) {
    const text = (replacement ?? '').replace(/\s+/g, ' ').slice(0, 80)
    process.stdout.write(`${file}:${location.start.line}:${location.start.column} ${mutatorName} ${text}\n`)
  }
  const folders = new Set(Object.keys(files).map((file) => dirname(file)))
  for (const folder of folders)
    say(
      folder,
      all.filter(({ file }) => dirname(file) === folder),
    )
  say('mutation score', all)
  note('The report with every mutant in its place: node_modules/.cache/mutation.html')
}

function say(title, mutants) {
  const count = (statuses) => mutants.filter(({ status }) => statuses.has(status)).length
  const noticed = count(NOTICED)
  const counted = noticed + count(MISSED)
  const score = ((100 * noticed) / counted).toFixed(1)
  process.stdout.write(`${title} ${score} %: ${noticed} of ${counted} mutants noticed\n`)
}
