import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'

/** `valkey-server` runs the same tests on Valkey. */
const PROGRAM = process.env['HALLPASS_TEST_REDIS_SERVER'] ?? 'redis-server'

/** The program, where it is installed. Nothing is downloaded for a test. */
export const hasRedisServer = (): boolean => spawnSync(PROGRAM, ['--version']).status === 0

export interface TestServer {
  readonly port: number
  readonly pid: number
  readonly directory: string
  /** SIGKILL, as a crash. */
  crash(): Promise<void>
  /** Starts it again on its port, with what it saved. */
  restart(): Promise<void>
  /** Ends it and forgets its files. */
  close(): Promise<void>
}

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** A redis-server of this test alone: loopback, its own directory, nothing saved unless the arguments say so. */
export async function startRedis(args: readonly string[] = []): Promise<TestServer> {
  const directory = mkdtempSync(join(tmpdir(), 'hallpass-redis-'))
  const start = async (at: number): Promise<ChildProcess> => {
    const fixed = ['--port', String(at), '--bind', '127.0.0.1', '--dir', directory, '--loglevel', 'warning']
    const launched = launch([...fixed, '--save', '', '--appendonly', 'no', ...args])
    await answers(at, launched).catch((error: unknown) => {
      launched.kill('SIGKILL')
      throw error
    })
    return launched
  }
  let port = await freePort()
  // Somebody else may have taken the port in between.
  let child = await start(port).catch(async () => start((port = await freePort())))
  const crash = async () => {
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    if (!hasEnded(child) && child.kill('SIGKILL')) await gone
    running.delete(child)
  }
  return {
    port,
    get pid() {
      return child.pid ?? 0
    },
    directory,
    crash,
    async restart() {
      child = await start(port)
    },
    async close() {
      await crash()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

function launch(args: readonly string[]): ChildProcess {
  const child = spawn(PROGRAM, [...args], { stdio: 'ignore' })
  running.add(child)
  return child
}

/** Asks one server one thing on a connection of its own. */
export async function ask(port: number, ...command: [string, ...string[]]): Promise<unknown> {
  const client = new Redis({
    port,
    host: '127.0.0.1',
    lazyConnect: true,
    retryStrategy: () => null,
    connectTimeout: 2000,
    commandTimeout: 10_000,
  })
  client.on('error', () => undefined)
  try {
    await client.connect()
    return await client.call(...command)
  } finally {
    client.disconnect()
  }
}

const LONGEST_START_MS = 20_000
const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null

/** Waits until this very process answers: at its port it may also be another. */
async function answers(port: number, child: ChildProcess): Promise<void> {
  const until = performance.now() + LONGEST_START_MS
  while (!hasEnded(child) && performance.now() < until) {
    const info = await ask(port, 'INFO', 'server').catch(() => '')
    if (String(info).includes(`process_id:${child.pid}\r\n`) && (await ask(port, 'PING').catch(() => '')) === 'PONG')
      return
    await new Promise((resolve) => setTimeout(resolve, 15))
  }
  throw new Error(`${PROGRAM} did not answer`)
}

const taken = new Set<number>()

/** Below what systems give to outgoing connections, so that nobody takes it, or its cluster bus, before we listen. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 200; tries += 1) {
    const port = 17_000 + Math.floor(Math.random() * 5500)
    if (taken.has(port)) continue
    taken.add(port)
    if ((await isFree(port)) && (await isFree(port + 10_000))) return port
  }
  throw new Error('No port is free')
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
