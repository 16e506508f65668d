// The one door behind every npm script: installs if needed, builds if needed, runs the task.
// Only the task itself writes to stdout.
import { helpOf } from './task-help.mjs'
import { build, install, note, run, runTool } from './workspace.mjs'

const node = (file, args) => run(process.execPath, ['--enable-source-maps', file, ...args], { stdout: 'stdout' })

const tasks = {
  start: (args) => node('examples/support-desk/dist/main.js', args),
  fleet: (args) => node('examples/fleet/dist/main.js', args),
  bench: (args) => node('packages/bench/dist/main.js', args),
  fuzz: (args) => node('packages/fuzz/dist/main.js', args),
  soak: (args) => node('packages/soak/dist/main.js', args),
  conformance: (args) => node('packages/conformance/dist/main.js', args),
  test: (args) => runTool('vitest', ['run', ...args], { stdout: 'stdout' }),
  build: async () => 0,
  format: (args) => runTool('oxfmt', args),
  lint: async (args) => (await runTool('oxfmt', ['--check'])) || runTool('oxlint', ['--type-aware', ...args]),
  mutation: async (args) => (await import('./mutation.mjs')).mutation(args),
  check: async (args) => (await import('./check.mjs')).check(args),
}

const [name, ...args] = process.argv.slice(2)
const task = tasks[name]
if (task === undefined) {
  note(`There is no task "${name}". Tasks: ${Object.keys(tasks).join(', ')}`)
  process.exit(2)
}
if (args.includes('--help') || args.includes('-h')) {
  process.stdout.write(helpOf(name))
  process.exit(0)
}

try {
  await install()
  if (name !== 'format') await build({ force: name === 'build' })
  process.exitCode = await task(args)
} catch (error) {
  note(error.message)
  process.exitCode = 1
}
