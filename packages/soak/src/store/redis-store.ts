import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { startProxy } from '../chaos/proxy.ts'
import type { Random } from '../chaos/random.ts'
import { freePort } from './free-port.ts'
import type { Store } from './store.ts'

const version = (): string | undefined => {
  const asked = spawnSync('redis-server', ['--version'], { encoding: 'utf8' })
  return asked.status === 0 ? (/v=(\S+)/.exec(asked.stdout)?.[1] ?? 'unknown') : undefined
}

export const hasRedis = (): boolean => version() !== undefined

/** A redis-server of this run, behind a proxy that can cut it off. */
export async function startRedisStore(folder: string, random: Random): Promise<Store> {
  const found = version()
  if (found === undefined) throw new Error('No Redis here: install redis-server 7, or choose another ledger')
  const [port, home] = [await freePort(), join(folder, 'redis')]
  mkdirSync(home)
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', home, '--save', '', '--appendonly', 'no']
  const child = spawn('redis-server', args, { stdio: 'ignore' })
  const gone = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const kill = () => void child.kill('SIGKILL')
  process.once('exit', kill)
  await untilItAnswers(port)
  const proxy = await startProxy([port])
  return {
    name: `Redis ${found}`,
    place: { kind: 'redis', port: proxy.port },
    own: { kind: 'redis', port },
    async pause(ms) {
      child.kill('SIGSTOP')
      await delay(ms)
      child.kill('SIGCONT')
    },
    cut: () => proxy.cut(0.5, random),
    async stop() {
      await proxy.close()
      child.kill('SIGCONT')
      kill()
      await gone
      process.off('exit', kill)
    },
  }
}

async function untilItAnswers(port: number): Promise<void> {
  const client = new Redis({ port, host: '127.0.0.1', retryStrategy: () => 30 })
  client.on('error', () => {})
  try {
    await client.ping()
  } finally {
    client.disconnect()
  }
}
