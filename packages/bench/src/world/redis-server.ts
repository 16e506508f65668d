import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'

export interface BenchRedis {
  readonly ports: readonly number[]
  stop(): Promise<void>
}

/** One redis-server of its own that saves nothing. Throws and says so where the program is missing. */
export async function startBenchRedis(args: readonly string[] = []): Promise<BenchRedis> {
  if (spawnSync('redis-server', ['--version']).status !== 0) {
    throw new Error('No Redis here: install redis-server 7.')
  }
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'hallpass-bench-redis-'))
  const fixed = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no']
  const child = spawn('redis-server', [...fixed, ...args], { stdio: 'ignore' })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  await until(async () => (await ask(port, 'PING')) === 'PONG')
  return {
    ports: [port],
    async stop() {
      child.kill('SIGKILL')
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const MASTERS = 3
const SLOTS = 16_384

/** A cluster of three masters. */
export async function startBenchCluster(): Promise<BenchRedis> {
  const args = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '5000']
  const servers = await Promise.all(Array.from({ length: MASTERS }, () => startBenchRedis(args)))
  const ports = servers.flatMap((server) => server.ports)
  const [first = 0, ...others] = ports
  for (const [index, port] of ports.entries()) {
    const range = [index, index + 1].map((part) => Math.floor((part * SLOTS) / MASTERS))
    await ask(port, 'CLUSTER', 'ADDSLOTSRANGE', String(range[0]), String((range[1] ?? SLOTS) - 1))
    await ask(port, 'CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1))
  }
  for (const port of others) await ask(first, 'CLUSTER', 'MEET', '127.0.0.1', String(port))
  await until(async () => {
    const infos = await Promise.all(ports.map((port) => ask(port, 'CLUSTER', 'INFO')))
    return infos.every((info) => /cluster_state:ok[^]*cluster_known_nodes:3/.test(String(info)))
  })
  return { ports, stop: async () => void (await Promise.all(servers.map((server) => server.stop()))) }
}

async function ask(port: number, ...command: [string, ...string[]]): Promise<unknown> {
  const client = new Redis({ port, host: '127.0.0.1', lazyConnect: true, retryStrategy: () => null })
  client.on('error', () => {})
  try {
    await client.connect()
    return await client.call(...command)
  } finally {
    client.disconnect()
  }
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    if (await holds().catch(() => false)) return
    await new Promise((resolve) => setTimeout(resolve, 40))
  }
  throw new Error('Redis did not start.')
}

/** Below what systems give to outgoing connections, with room for the bus of a cluster 10 000 above. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 22_500 - Math.floor(Math.random() * 5500)
    if ((await isFree(port)) && (await isFree(port + 10_000))) return port
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })
}
