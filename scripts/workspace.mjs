// What the scripts know about the workspace: its packages, how to install and build it. No dependencies.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))

const readJson = (path) => JSON.parse(readFileSync(join(root, path), 'utf8'))

/** Every package of the workspace except tools, as `{ folder, manifest }`. */
export function packages() {
  return ['packages', 'examples']
    .flatMap((parent) => readdirSync(join(root, parent)).map((name) => `${parent}/${name}`))
    .filter((folder) => existsSync(join(root, folder, 'package.json')))
    .map((folder) => ({ folder, manifest: readJson(`${folder}/package.json`) }))
}

/** Runs a command from the root and resolves with its exit code. Its stdout goes to ours only when asked. */
export function run(command, args, { stdout = 'stderr', env = {}, cwd = root } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['inherit', stdout === 'stdout' ? 'inherit' : 2, 'inherit'],
    })
    const forward = (signal) => child.kill(signal)
    for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, forward)
    child.on('error', reject)
    child.on('close', (code, signal) => {
      for (const name of ['SIGTERM', 'SIGINT']) process.off(name, forward)
      resolve(signal === null ? code : 1)
    })
  })
}

/** Like `run`, but a failure throws. */
async function must(command, args, options) {
  const code = await run(command, args, options)
  if (code !== 0) throw new Error(`${[command, ...args].slice(0, 3).join(' ')} exited with ${code}`)
}

/** The JavaScript file behind a package's command, so that it starts without a shell wrapper. */
export function tool(name, { from = '.', command = name.split('/').at(-1) } = {}) {
  const home = `${from}/node_modules/${name}`
  const { bin } = readJson(`${home}/package.json`)
  return join(root, home, typeof bin === 'string' ? bin : bin[command])
}

export const runTool = (name, args, options = {}) => run(process.execPath, [tool(name, options), ...args], options)

async function mustTool(name, args, options) {
  const code = await runTool(name, args, options)
  if (code !== 0) throw new Error(`${name} exited with ${code}`)
}

export function pnpm(args, options) {
  const { packageManager } = readJson('package.json')
  return npm(['exec', '--yes', `--package=${packageManager}`, '--', 'pnpm', ...args], options)
}

/** npm with its plain output: .npmrc asks for json, and npm hands its settings down to every script. */
export function npm(args, { env = {}, ...options } = {}) {
  return must('npm', args, { ...options, env: { ...env, npm_config_json: 'false' } })
}

// --- install -------------------------------------------------------------------------------------------------------

function installHash() {
  const files = ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json', 'tools/package.json']
  const manifests = packages().map(({ folder }) => `${folder}/package.json`)
  const hash = createHash('sha256').update(`${process.platform} ${process.arch} ${process.version.split('.')[0]}`)
  for (const file of [...files, ...manifests]) hash.update(file).update(readFileSync(join(root, file)))
  return hash.digest('hex')
}

/** Installs when the lockfile or a manifest changed since last time; the heavy tools only when asked. */
export async function install({ withTools = false } = {}) {
  await alone(async () => {
    const stamp = join(root, withTools ? 'node_modules/.tools-stamp' : 'node_modules/.setup-stamp')
    const hash = installHash()
    if (existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return
    note(withTools ? 'Installing with the tools for checks' : 'Installing')
    const scope = withTools ? [] : ['--filter', '!./tools']
    await pnpm(['install', '--frozen-lockfile', '--trust-lockfile', ...scope], { env: { CI: 'true' } })
    writeFileSync(stamp, hash)
    if (withTools) writeFileSync(join(root, 'node_modules/.setup-stamp'), hash)
  })
}

// --- build ---------------------------------------------------------------------------------------------------------

/** The newest change below a path. Folders count too: deleting a file touches only its folder. */
function newest(path) {
  const stat = statSync(path)
  if (!stat.isDirectory()) return /\.test(-d)?\.ts$/.test(path) ? 0 : stat.mtimeMs
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))))
}

function sourcesChangedAt() {
  const files = ['package.json', 'tsconfig.base.json', 'tsconfig.json', 'tsup.config.ts', 'pnpm-lock.yaml']
  const parts = packages().flatMap(({ folder }) =>
    ['src', 'package.json', 'tsconfig.json'].map((name) => `${folder}/${name}`),
  )
  return Math.max(
    ...[...files, ...parts].filter((path) => existsSync(join(root, path))).map((path) => newest(join(root, path))),
  )
}

/** Builds every package when a source is newer than the last build: JavaScript by tsup, declarations by tsc. */
export async function build({ force = false } = {}) {
  await alone(async () => {
    const stamp = join(root, '.build-stamp')
    if (!force && existsSync(stamp) && statSync(stamp).mtimeMs > sourcesChangedAt()) return
    note('Building')
    const started = new Date()
    rmSync(stamp, { force: true })
    for (const { folder } of packages()) rmSync(join(root, folder, 'dist'), { recursive: true, force: true })
    await mustTool('tsup', [])
    await mustTool('typescript', ['-b'], { command: 'tsc' })
    writeFileSync(stamp, '')
    utimesSync(stamp, started, started)
  })
}

/** Two commands started at once must not install or build over each other. */
async function alone(work) {
  mkdirSync(join(root, 'node_modules'), { recursive: true })
  const lock = join(root, 'node_modules/.setup-lock')
  while (!take(lock)) await new Promise((resolve) => setTimeout(resolve, 100))
  try {
    await work()
  } finally {
    rmSync(lock, { force: true })
  }
}

function take(lock) {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
    if (!ownerLives(lock)) rmSync(lock, { force: true })
    return false
  }
}

function ownerLives(lock) {
  try {
    const owner = Number(readFileSync(lock, 'utf8'))
    // Just created and not written yet counts as alive for a moment.
    if (!owner) return Date.now() - statSync(lock).mtimeMs < 2000
    process.kill(owner, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

export function note(text) {
  process.stderr.write(`[hallpass] ${text}\n`)
}
