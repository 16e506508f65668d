// Everything that must hold before a change is taken, one step after the other.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkBundles } from './check-bundles.mjs'
import { checkDocs } from './check-docs.mjs'
import { checkPackages } from './check-packages.mjs'
import { install, note, root, runTool } from './workspace.mjs'

/** @type {[string, () => number | Promise<number>][]} */
const steps = [
  ['format', () => runTool('oxfmt', ['--check'])],
  ['lint', () => runTool('oxlint', ['--type-aware'])],
  ['types of the tests', () => runTool('typescript', ['-p', 'tsconfig.tests.json'], { command: 'tsc' })],
  [
    'package boundaries and cycles',
    () => runTool('vitest', ['run', '--project', 'unit', 'tests/architecture.test.ts']),
  ],
  ['tests', () => runTool('vitest', ['run'])],
  ['docs', checkDocs],
  ['workspace manifests', () => runTool('sherif', ['-i', 'typescript'], { from: 'tools' })],
  [
    'dead code',
    () =>
      runTool('knip', ['--no-progress', '--no-config-hints', '--include', 'files,exports,types,duplicates,unlisted'], {
        from: 'tools',
      }),
  ],
  ['sizes', checkBundles],
  ['packed packages', checkPackages],
]

/** `--skip-tests` for whoever has just run them; `--only=docs` for one step. */
export async function check(args) {
  const odd = args.find((arg) => arg !== '--skip-tests' && !arg.startsWith('--only='))
  if (odd !== undefined) {
    note(`check does not take ${odd}. See: npm run check -- --help`)
    return 2
  }
  const only = args.find((arg) => arg.startsWith('--only='))?.slice('--only='.length)
  const chosen = steps.filter(([name]) =>
    only === undefined ? !(name === 'tests' && args.includes('--skip-tests')) : name.includes(only),
  )
  await install({ withTools: true })

  const failed = []
  for (const [name, step] of chosen) {
    const started = performance.now()
    note(`check: ${name}`)
    const passed = await succeeds(step)
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    note(`check: ${name} ${passed ? 'passed' : 'FAILED'} in ${seconds} s`)
    if (!passed) failed.push(name)
  }

  const report = { passed: chosen.length - failed.length, failed: failed.length, failures: failed }
  mkdirSync(join(root, 'node_modules/.cache'), { recursive: true })
  writeFileSync(join(root, 'node_modules/.cache/check.json'), JSON.stringify(report))
  note(`check: ${report.passed} passed, ${report.failed} failed${failed.length ? `: ${failed.join(', ')}` : ''}`)
  return failed.length === 0 && chosen.length > 0 ? 0 : 1
}

async function succeeds(step) {
  try {
    return (await step()) === 0
  } catch (error) {
    note(error.message)
    return false
  }
}
