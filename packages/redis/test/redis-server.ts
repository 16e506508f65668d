import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'

/** The program, where it is installed. Nothing is downloaded for a test. */
export const hasRedisServer = (): boolean => spawnSync('redis-server', ['--version']).status === 0

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
  const port = await freePort()
  const directory = mkdtempSync(join(tmpdir(), 'hallpass-redis-'))
  const fixed = ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory, '--loglevel', 'warning']
  const all = [...fixed, '--save', '', '--appendonly', 'no', ...args]
  let child = launch(all)
  await answers(port).catch((error: unknown) => {
    child.kill('SIGKILL')
    throw error
  })
  const crash = async () => {
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    if (child.exitCode === null && child.kill('SIGKILL')) await gone
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
      child = launch(all)
      await answers(port)
    },
    async close() {
      await crash()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

function launch(args: readonly string[]): ChildProcess {
  const child = spawn('redis-server', [...args], { stdio: 'ignore' })
  running.add(child)
  return child
}

/** Asks one server one thing on a connection of its own. */
export async function ask(port: number, ...command: [string, ...string[]]): Promise<unknown> {
  const client = new Redis({ port, host: '127.0.0.1', lazyConnect: true, retryStrategy: () => null })
  client.on('error', () => undefined)
  try {
    await client.connect()
    return await client.call(...command)
  } finally {
    client.disconnect()
  }
}

async function answers(port: number): Promise<void> {
  for (let tries = 0; tries < 400; tries += 1) {
    const pong = await ask(port, 'PING').catch(() => undefined)
    if (pong === 'PONG') return
    await new Promise((resolve) => setTimeout(resolve, 15))
  }
  throw new Error('redis-server did not answer')
}

const taken = new Set<number>()

/** Below what systems give to outgoing connections, so that nobody takes it, or its cluster bus, before we listen. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 17_000 + Math.floor(Math.random() * 5500)
    if (taken.has(port)) continue
    taken.add(port)
    if ((await isFree(port)) && (await isFree(port + 10_000))) return port
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
