// Packs every public package as it would be published, lints the tarballs, installs them in an empty folder
// and imports every door from there.
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { note, npm, packages, pnpm, root, run, runTool, tool } from './workspace.mjs'

const isDoor = (target) => typeof target === 'object'
const doorsOf = ({ name, exports }) =>
  Object.entries(exports).flatMap(([door, target]) => (isDoor(target) ? [name + door.slice(1)] : []))

export async function checkPackages() {
  const temp = mkdtempSync(join(tmpdir(), 'hallpass-pack-'))
  try {
    const ours = packages()
      .map(({ manifest }) => manifest)
      .filter((manifest) => !manifest.private)
    const tarballs = await pack(temp, ours)
    const linted = await lint(tarballs)
    const consumer = await installed(temp, ours, tarballs)
    const codes = [linted]
    for (const step of [imports, importsWithoutTelemetry, importsInTestRun, types, command])
      codes.push(await step(consumer, ours))
    return codes.every((code) => code === 0) ? 0 : 1
  } finally {
    rmSync(temp, { recursive: true, force: true })
  }
}

async function pack(temp, ours) {
  const filters = ours.map(({ name }) => `--filter=${name}`)
  await pnpm(['-r', ...filters, 'pack', '--pack-destination', temp])
  const tarballs = readdirSync(temp)
    .filter((name) => name.endsWith('.tgz'))
    .map((name) => join(temp, name))
  if (tarballs.length !== ours.length) throw new Error(`packed ${tarballs.length} of ${ours.length} packages`)
  return tarballs
}

async function lint(tarballs) {
  let worst = 0
  for (const tarball of tarballs) {
    const problems = await runTool('publint', ['--strict', tarball], { from: 'tools' })
    const types = await runTool('@arethetypeswrong/cli', ['--profile', 'esm-only', '--quiet', tarball], {
      from: 'tools',
      command: 'attw',
    })
    worst = Math.max(worst, problems, types)
  }
  return worst
}

/** A folder that has nothing but our tarballs and the optional peers, at the versions the workspace uses. */
async function installed(temp, ours, tarballs) {
  const consumer = join(temp, 'consumer')
  mkdirSync(consumer)
  const peers = [...new Set(ours.flatMap(({ peerDependencies = {} }) => Object.keys(peerDependencies)))]
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const dependencies = {
    ...Object.fromEntries(peers.map((name) => [name, devDependencies[name]])),
    ...Object.fromEntries(tarballs.map((file) => [nameIn(file, ours), `file:${file}`])),
  }
  const overrides = { vite: devDependencies.vite }
  const manifest = { name: 'consumer', private: true, type: 'module', dependencies, overrides }
  writeFileSync(join(consumer, 'package.json'), JSON.stringify(manifest))
  await npm(['install', '--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts'], { cwd: consumer })
  return consumer
}

const nameIn = (file, ours) => ours.find(({ name }) => file.includes(`${name.slice(1).replace('/', '-')}-0`)).name

/** The vitest door registers matchers, which only a test run has. */
const needsTestRun = (door) => door.endsWith('/vitest')

function importsInTestRun(consumer, ours) {
  const doors = ours.flatMap(doorsOf).filter(needsTestRun)
  const body = doors.map((door) => `test('${door} loads', () => import('${door}'))`)
  writeFileSync(join(consumer, 'doors.test.mjs'), ["import { test } from 'vitest'", ...body].join('\n'))
  return run(process.execPath, ['node_modules/vitest/vitest.mjs', 'run'], { cwd: consumer })
}

/** Every other door loads, and `#crypto` offers the same names on Node as on the web. */
function imports(consumer, ours) {
  const doors = ours.flatMap(doorsOf)
  const lines = [
    "import assert from 'node:assert/strict'",
    'const names = async (path) => Object.keys(await import(path)).sort()',
    ...doors.filter((door) => !needsTestRun(door)).map((door) => `await import('${door}')`),
    ...ours
      .filter(({ imports: inner }) => inner?.['#crypto'])
      .map(({ name }) => `./node_modules/${name}/dist/crypto`)
      .map((path) => `assert.deepEqual(await names('${path}.node.js'), await names('${path}.web.js'))`),
    `console.error('${doors.length} doors of ${ours.length} packages')`,
  ]
  writeFileSync(join(consumer, 'doors.mjs'), lines.join('\n'))
  return run(process.execPath, ['doors.mjs'], { cwd: consumer })
}

const needsTelemetry = (door) => door.endsWith('/opentelemetry')

/** Every door but that of OpenTelemetry loads where its API is not installed. */
async function importsWithoutTelemetry(consumer, ours) {
  const [installed, aside] = ['@opentelemetry', 'opentelemetry-aside'].map((name) =>
    join(consumer, 'node_modules', name),
  )
  const doors = ours.flatMap(doorsOf).filter((door) => !needsTestRun(door) && !needsTelemetry(door))
  const lines = [
    "import assert from 'node:assert/strict'",
    ...doors.map((door) => `await import('${door}')`),
    "await assert.rejects(import('@hallpass/core/opentelemetry'), { code: 'ERR_MODULE_NOT_FOUND' })",
    `console.error('${doors.length} doors without @opentelemetry/api')`,
  ]
  writeFileSync(join(consumer, 'without.mjs'), lines.join('\n'))
  renameSync(installed, aside)
  try {
    return await run(process.execPath, ['without.mjs'], { cwd: consumer })
  } finally {
    renameSync(aside, installed)
  }
}

/** Every door's types resolve for a consumer under TypeScript's strictest module rules. */
function types(consumer, ours) {
  symlinkSync(join(root, 'node_modules/@types'), join(consumer, 'types'))
  const doors = ours.flatMap(doorsOf).map((door, index) => `export type * as door${index} from '${door}'`)
  writeFileSync(join(consumer, 'doors.ts'), doors.join('\n'))
  const compilerOptions = {
    strict: true,
    noEmit: true,
    module: 'nodenext',
    target: 'es2023',
    skipLibCheck: true,
    typeRoots: ['types'],
    types: ['node'],
  }
  writeFileSync(join(consumer, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['doors.ts'] }))
  return run(process.execPath, [tool('typescript', { command: 'tsc' }), '-p', '.'], { cwd: consumer })
}

async function command(consumer) {
  const code = await run(process.execPath, ['node_modules/@hallpass/cli/dist/bin.js', '--help'], { cwd: consumer })
  if (code !== 0) note('hallpass --help failed')
  return code
}
