import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
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
    /** Starts it as a standby does that takes over: on a new timeline. */
    startAsSuccessor(): Promise<void>
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

const isHere = process.env['HALLPASS_TEST_POSTGRES_URL'] !== undefined || programs() !== undefined
const MISSING = 'No PostgreSQL here: install it, or set HALLPASS_TEST_POSTGRES_URL'

/** Where CI runs, a missing server is a failure. */
export const runsHere = isHere || process.env['CI'] !== undefined
/** Says plainly what is skipped, and why. */
export const where = isHere ? 'as it runs here' : `: SKIPPED. ${MISSING}`

/** Below what systems give to outgoing connections, so that nobody has it when a killed server starts again. */
async function freePort(): Promise<number> {
  for (let tries = 0; tries < 200; tries += 1) {
    const port = 23_000 + Math.floor(Math.random() * 4000)
    if (await isFree(port)) return port
  }
  throw new Error('No port is free')
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })

/** Recovery included, on a slow machine that does other things too. */
const LONGEST_START_MS = 50_000

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
  if (bin === undefined) throw new Error(MISSING)
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
  let port = await freePort()
  const programOf = (): string[] => {
    const own = [`port=${port}`, `unix_socket_directories=${folder}`, `fsync=${fsync ? 'on' : 'off'}`]
    const settings = [...own, 'listen_addresses=127.0.0.1', 'max_connections=200', 'log_min_messages=fatal']
    return [join(bin, 'postgres'), '-D', data, ...settings.flatMap((each) => ['-c', each])]
  }
  let ended = Promise.resolve()
  // `runuser` stops along with what it runs, and has to be told to go on as well.
  let launched: number | undefined
  let isDead = true
  const signal = (name: NodeJS.Signals): void => {
    // The ids of a server that is gone may be somebody else's by now.
    if (isDead) return
    for (const pid of [...processesOf(data), launched ?? 0].filter((id) => id > 0)) {
      try {
        process.kill(pid, name)
      } catch {
        // It ended by itself.
      }
    }
    isDead = name === 'SIGKILL'
  }
  const start = async (nextPort?: () => Promise<number>): Promise<void> => {
    const until = performance.now() + LONGEST_START_MS
    // Until every process of a killed one is gone, its memory is in the way.
    while (performance.now() < until) {
      const child = spawn(...asUser(programOf()), { stdio: 'ignore', cwd: folder })
      launched = child.pid
      isDead = false
      ended = new Promise((resolve) => child.once('close', () => resolve()))
      if (await isReady({ bin, folder, port, child, until })) return
      if (hasEnded(child)) isDead = true
      else signal('SIGKILL')
      await new Promise((resolve) => setTimeout(resolve, 100))
      if (nextPort !== undefined) port = await nextPort()
    }
    throw new Error('The server did not start')
  }
  const end = (): void => {
    signal('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
  process.once('exit', end)
  // Somebody may have taken the port in between; later its address is known, and it has to be the same.
  await start(freePort)
  return {
    url: `postgres://hallpass@127.0.0.1:${port}/postgres`,
    process: {
      async kill() {
        signal('SIGKILL')
        await ended
      },
      pause: () => signal('SIGSTOP'),
      resume: () => signal('SIGCONT'),
      start: () => start(),
      async startAsSuccessor() {
        spawnSync(...asUser(['touch', join(data, 'standby.signal')]))
        await start()
        const promote = [join(bin, 'pg_ctl'), '-D', data, '-w', '-s', 'promote']
        const promoted = spawnSync(...asUser(promote), { encoding: 'utf8', cwd: folder })
        if (promoted.status !== 0) throw new Error(`The standby did not take over: ${promoted.stderr}`)
      },
    },
    async stop() {
      process.off('exit', end)
      signal('SIGKILL')
      await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 3000))])
      end()
    },
  }
}

/** The server and all it has started: each is in a group of its own. */
function processesOf(data: string): readonly number[] {
  if (!existsSync(join(data, 'postmaster.pid'))) return []
  const main = Number(readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[0])
  const children = spawnSync('ps', ['-o', 'pid=', '--ppid', String(main)], { encoding: 'utf8' }).stdout
  return [main, ...children.split('\n').map(Number)]
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null

interface Starting {
  readonly bin: string
  readonly folder: string
  readonly port: number
  readonly child: ChildProcess
  readonly until: number
}

/** Resolves when it takes connections, or with false when it ended or takes too long. */
async function isReady({ bin, folder, port, child, until }: Starting): Promise<boolean> {
  while (!hasEnded(child) && performance.now() < until) {
    // By its own socket: at its port another server may answer.
    const asked = spawnSync(join(bin, 'pg_isready'), ['-q', '-t', '1', '-h', folder, '-p', String(port)])
    if (asked.status === 0) return true
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return false
}
