import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A server to test against: started here, or one that somebody runs. */
export interface PostgresServer {
  readonly url: string
  /** Undefined where it is not ours to kill. */
  readonly process?: {
    /** Kills every process of the server at once, as a power cut would. */
    kill(): Promise<void>
    pause(): void
    resume(): void
    start(): Promise<void>
  }
  stop(): Promise<void>
}

export interface ServerOptions {
  readonly fsync: boolean
}

/** Where Debian and others put `initdb` and `postgres`; newest first. */
function programs(): string | undefined {
  const homes = ['/usr/lib/postgresql', '/usr/local/pgsql', '/opt/homebrew/opt/postgresql']
  const folders = homes.flatMap((home) =>
    existsSync(home) ? [join(home, 'bin'), ...readdirSync(home).map((version) => join(home, version, 'bin'))] : [],
  )
  const onPath = (process.env['PATH'] ?? '').split(':')
  return [...folders.toSorted().toReversed(), ...onPath].find(
    (folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')),
  )
}

/** Why there is nothing to test against, or undefined when there is. */
export function whyNoServer(): string | undefined {
  if (process.env['HALLPASS_TEST_POSTGRES_URL'] !== undefined || programs() !== undefined) return undefined
  return 'skipped: no PostgreSQL here. Install it, or set HALLPASS_TEST_POSTGRES_URL'
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

const isRoot = process.getuid?.() === 0
/** PostgreSQL refuses to run as root. */
const asUser = (command: readonly string[]): readonly [string, string[]] => {
  const [program = '', ...rest] = isRoot ? ['runuser', '-u', 'postgres', '--', ...command] : command
  return [program, rest]
}

/** Starts a server of its own on a free port, or takes the one that is named. Throws when there is neither. */
export async function startPostgres({ fsync }: ServerOptions): Promise<PostgresServer> {
  const named = process.env['HALLPASS_TEST_POSTGRES_URL']
  if (named !== undefined) return { url: named, stop: async () => {} }
  const bin = programs()
  if (bin === undefined) throw new Error(whyNoServer())
  const folder = mkdtempSync(join(tmpdir(), 'hallpass-pg-'))
  if (isRoot) chmodSync(folder, 0o777)
  const data = join(folder, 'data')
  const init = spawnSync(
    ...asUser([join(bin, 'initdb'), '-D', data, '-U', 'hallpass', '-A', 'trust', '-N', '--locale=C', '-E', 'UTF8']),
    {
      encoding: 'utf8',
      cwd: folder,
    },
  )
  if (init.status !== 0) throw new Error(`initdb failed: ${init.stderr}`)
  const port = await freePort()
  const settings = [
    `fsync=${fsync ? 'on' : 'off'}`,
    `port=${port}`,
    'listen_addresses=127.0.0.1',
    'max_connections=200',
  ]
  const sockets = `unix_socket_directories=${folder}`
  const args = [
    join(bin, 'postgres'),
    '-D',
    data,
    ...[...settings, sockets, 'log_min_messages=fatal'].flatMap((s) => ['-c', s]),
  ]
  let child: ChildProcess | undefined
  let ended = Promise.resolve()
  const start = async (): Promise<void> => {
    // A group of its own, so that all of it can be stopped at once.
    const started = spawn(...asUser(args), { detached: true, stdio: 'ignore', cwd: folder })
    child = started
    ended = new Promise((resolve) => started.once('close', () => resolve()))
    await isReady(bin, port)
  }
  const signal = (name: NodeJS.Signals): void => {
    if (child?.pid !== undefined) process.kill(-child.pid, name)
  }
  await start()
  return {
    url: `postgres://hallpass@127.0.0.1:${port}/postgres`,
    process: {
      async kill() {
        signal('SIGKILL')
        await ended
      },
      pause: () => signal('SIGSTOP'),
      resume: () => signal('SIGCONT'),
      start,
    },
    async stop() {
      try {
        signal('SIGCONT')
        signal('SIGKILL')
      } catch {
        // It is gone already.
      }
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function isReady(bin: string, port: number): Promise<void> {
  for (let tries = 0; tries < 300; tries += 1) {
    const asked = spawnSync(join(bin, 'pg_isready'), ['-q', '-h', '127.0.0.1', '-p', String(port)])
    if (asked.status === 0) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('The server did not start')
}
