import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface BenchServer {
  readonly url: string
  stop(): Promise<void>
}

const HOME = '/usr/lib/postgresql'
const isRoot = process.getuid?.() === 0
/** PostgreSQL refuses to run as root. */
const asUser = (command: readonly string[]): readonly [string, string[]] => {
  const [program = '', ...rest] = isRoot ? ['runuser', '-u', 'postgres', '--', ...command] : command
  return [program, rest]
}

/** A server of its own with fsync on, or the one at HALLPASS_TEST_POSTGRES_URL. Throws and says so when there is none. */
export async function startBenchServer(): Promise<BenchServer> {
  const named = process.env['HALLPASS_TEST_POSTGRES_URL']
  if (named !== undefined) return { url: named, stop: async () => {} }
  const versions = existsSync(HOME) ? readdirSync(HOME).toSorted().toReversed() : []
  const bin = versions.map((version) => join(HOME, version, 'bin')).find((path) => existsSync(join(path, 'initdb')))
  if (bin === undefined) throw new Error('No PostgreSQL here: install it, or set HALLPASS_TEST_POSTGRES_URL.')
  const folder = mkdtempSync(join(tmpdir(), 'hallpass-bench-pg-'))
  if (isRoot) chmodSync(folder, 0o777)
  const data = join(folder, 'data')
  const init = [join(bin, 'initdb'), '-D', data, '-U', 'hallpass', '-A', 'trust', '-N', '--locale=C', '-E', 'UTF8']
  const made = spawnSync(...asUser(init), { encoding: 'utf8', cwd: folder })
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}`)
  const port = await freePort()
  const settings = ['fsync=on', `port=${port}`, 'listen_addresses=127.0.0.1', `unix_socket_directories=${folder}`]
  const args = [join(bin, 'postgres'), '-D', data, ...settings.flatMap((setting) => ['-c', setting])]
  const child = spawn(...asUser(args), { stdio: 'ignore', cwd: folder })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    spawnSync(...asUser([join(bin, 'pg_ctl'), '-D', data, '-m', 'immediate', 'stop']), { cwd: folder })
    await ended
    rmSync(folder, { recursive: true, force: true })
  }
  for (let tries = 0; tries < 200; tries++) {
    if (spawnSync(join(bin, 'pg_isready'), ['-q', '-h', '127.0.0.1', '-p', String(port)]).status === 0) {
      return { url: `postgres://hallpass@127.0.0.1:${port}/postgres`, stop }
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  await stop()
  throw new Error('PostgreSQL did not start.')
}

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
