import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readFileSync, readdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { startProxy } from '../chaos/proxy.ts'
import type { Random } from '../chaos/random.ts'
import { freePort } from './free-port.ts'
import type { Store } from './store.ts'

const HOME = '/usr/lib/postgresql'
const isRoot = process.getuid?.() === 0
/** PostgreSQL refuses to run as root. */
const asUser = ([program = '', ...args]: readonly string[]): readonly [string, string[]] =>
  isRoot ? ['runuser', ['-u', 'postgres', '--', program, ...args]] : [program, args]

function programs(): string | undefined {
  const versions = existsSync(HOME) ? readdirSync(HOME).toSorted((a, b) => Number(b) - Number(a)) : []
  const folders = [...versions.map((name) => join(HOME, name, 'bin')), ...(process.env['PATH'] ?? '').split(':')]
  return folders.find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')))
}

export const hasPostgres = (): boolean => programs() !== undefined

/** A PostgreSQL of this run with fsync on, behind a proxy that can cut it off. */
export async function startPostgresStore(random: Random): Promise<Store> {
  const bin = programs()
  if (bin === undefined) throw new Error('No PostgreSQL here: install it, or choose another ledger')
  const folder = mkdtempSync(join(tmpdir(), 'hallpass-soak-pg-'))
  if (isRoot) chmodSync(folder, 0o777)
  const data = join(folder, 'data')
  const init = [join(bin, 'initdb'), '-D', data, '-U', 'hallpass', '-A', 'trust', '-N', '--locale=C', '-E', 'UTF8']
  const made = spawnSync(...asUser(init), { encoding: 'utf8', cwd: folder })
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}`)
  const port = await freePort()
  const settings = [`port=${port}`, 'listen_addresses=127.0.0.1', `unix_socket_directories=${folder}`]
  const args = [join(bin, 'postgres'), '-D', data, ...settings.flatMap((setting) => ['-c', setting])]
  const child = spawn(...asUser(args), { stdio: 'ignore', cwd: folder })
  const gone = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const signal = (name: NodeJS.Signals) => {
    for (const pid of processesOf(data)) {
      try {
        process.kill(pid, name)
      } catch {
        // It ended by itself.
      }
    }
  }
  const kill = () => signal('SIGKILL')
  process.once('exit', kill)
  for (let tries = 0; ; tries++) {
    if (spawnSync(join(bin, 'pg_isready'), ['-q', '-h', '127.0.0.1', '-p', String(port)]).status === 0) break
    if (tries > 300) throw new Error('PostgreSQL did not start')
    await delay(50)
  }
  const proxy = await startProxy([port])
  const version = spawnSync(join(bin, 'postgres'), ['--version'], { encoding: 'utf8' }).stdout
  return {
    name: `PostgreSQL ${/\d+(\.\d+)*/.exec(version)?.[0] ?? 'unknown'}`,
    place: { kind: 'postgres', port: proxy.port },
    own: { kind: 'postgres', port },
    async pause(ms) {
      signal('SIGSTOP')
      await delay(ms)
      signal('SIGCONT')
      // Who started it for another user has stopped along with it.
      child.kill('SIGCONT')
    },
    cut: () => proxy.cut(0.5, random),
    async stop() {
      await proxy.close()
      kill()
      child.kill('SIGKILL')
      await gone
      process.off('exit', kill)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The server and all it has started: each is in a group of its own. */
function processesOf(data: string): readonly number[] {
  const file = join(data, 'postmaster.pid')
  if (!existsSync(file)) return []
  const main = Number(readFileSync(file, 'utf8').split('\n')[0])
  const children = spawnSync('ps', ['-o', 'pid=', '--ppid', String(main)], { encoding: 'utf8' }).stdout
  return [main, ...children.split('\n').map(Number)].filter((pid) => pid > 0)
}
