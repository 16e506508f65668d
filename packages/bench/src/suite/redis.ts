import { createHash } from 'node:crypto'
import { redisLedger } from '@hallpass/redis'
import { Cluster, Redis } from 'ioredis'
import { RateLimiterRedis } from 'rate-limiter-flexible'
import { createClient } from 'redis'
import type { RowAim } from '../row/row-aim.ts'
import type { Work } from '../timing/work.ts'
import { checkUses, openUses, usesInFlight } from '../world/durable-uses.ts'
import { startBenchCluster, startBenchRedis } from '../world/redis-server.ts'
import { must, mustThrow } from './must.ts'
import type { Entry, Suite } from './suite.ts'

const IN_FLIGHT = 64
const COUNTERS = 10_000

const row = (id: string, work: string, aim: number | null = null): RowAim => ({
  id,
  aim,
  better: 'lower',
  measure: 'wall',
  baseline: 'bare EVALSHA of the same client',
  work: `${work}, ${IN_FLIGHT} in flight`,
})

const rows = {
  ioredis: row('redeem.redis', 'liveness, replay mark, limits, reservation; ioredis', 1.15),
  nodeRedis: row('redeem.redis.node-redis', 'the same by node-redis'),
  cluster: row('redeem.redis.cluster', 'the same on 3 masters, 16 shards; ioredis'),
  peer: row('peer.rate-limiter-flexible.redis', 'one counter, nothing else; ioredis'),
}

/** What a script must do at the very least: one use where there is one left and nobody revoked it. */
const BARE = `
local grant = redis.call('HMGET', KEYS[1], 'left', 'revoked')
if grant[2] then return -2 end
if tonumber(grant[1]) <= 0 then return -1 end
return redis.call('HINCRBY', KEYS[1], 'left', -1)
`
const counter = (index: number): string => `bare:{${(index * 7919) % COUNTERS}}`

/** One script or command for each operation, so many under way. */
function inFlight(operation: (index: number) => Promise<unknown>, isRight: (answer: unknown) => boolean): Work {
  let index = 0
  return {
    async run(operations) {
      let left = operations
      const caller = async (): Promise<void> => {
        while (left > 0) {
          left -= 1
          if (!isRight(await operation((index += 1)))) throw new Error('An answer came out wrong while it was timed.')
        }
      }
      await Promise.all(Array.from({ length: Math.min(IN_FLIGHT, operations) }, caller))
    },
  }
}

const isLeft = (answer: unknown): boolean => typeof answer === 'number' && answer >= 0

type Evalsha = (sha: string, key: string) => Promise<unknown>

async function bare(client: Redis | Cluster, evalsha: Evalsha): Promise<Work> {
  const sha = createHash('sha1').update(BARE).digest('hex')
  for (let index = 0; index < COUNTERS; index++) await client.hset(counter(index), 'left', Number.MAX_SAFE_INTEGER)
  // Once by its text at many keys: every server knows it then.
  for (let index = 0; index < 200; index++) await client.eval(BARE, 1, counter(index))
  return inFlight((index) => evalsha(sha, counter(index)), isLeft)
}

async function uses(id: string, options: Parameters<typeof redisLedger>[0], baseline: Work): Promise<Entry> {
  const open = await openUses(await redisLedger({ ...options, timeoutMs: 10_000 }))
  return { id, check: () => checkUses(open), work: usesInFlight(open, IN_FLIGHT), baseline }
}

function peer(client: Redis, baseline: Work): Entry {
  const limiter = new RateLimiterRedis({ storeClient: client, points: Number.MAX_SAFE_INTEGER, duration: 900 })
  return {
    id: rows.peer.id,
    async check() {
      const one = new RateLimiterRedis({ storeClient: client, points: 1, duration: 900, keyPrefix: 'one' })
      await one.consume('grant')
      await mustThrow(() => one.consume('grant'), 'the second use of one is refused')
      must(true, 'the first use of one is permitted')
    },
    work: inFlight(
      (index) => limiter.consume(counter(index)),
      (answer) => answer !== undefined,
    ),
    baseline,
  }
}

/** Opens what the chosen rows need, in one list of what is to be closed. */
async function openSingle(chosen: ReadonlySet<string>, ends: (() => unknown)[]): Promise<Entry[]> {
  const server = await startBenchRedis()
  ends.push(() => server.stop())
  const [port] = server.ports
  const client = new Redis({ port: port ?? 0, host: '127.0.0.1' })
  ends.push(() => client.disconnect())
  const baseline = await bare(client, (sha, key) => client.evalsha(sha, 1, key))
  const entries: Entry[] = []
  if (chosen.has(rows.ioredis.id)) entries.push(await uses(rows.ioredis.id, { client, prefix: 'one' }, baseline))
  if (chosen.has(rows.peer.id)) entries.push(peer(client, baseline))
  if (chosen.has(rows.nodeRedis.id)) {
    const other = createClient({ url: `redis://127.0.0.1:${port}` })
    await other.connect()
    ends.push(() => other.destroy())
    const own = await bare(client, (sha, key) => other.evalSha(sha, { keys: [key], arguments: [] }))
    entries.push(await uses(rows.nodeRedis.id, { client: other, prefix: 'two' }, own))
  }
  return entries
}

async function openCluster(ends: (() => unknown)[]): Promise<Entry[]> {
  const servers = await startBenchCluster()
  ends.push(() => servers.stop())
  const client = new Cluster(servers.ports.map((port) => ({ port, host: '127.0.0.1' })))
  ends.push(() => client.disconnect())
  const baseline = await bare(client, (sha, key) => client.evalsha(sha, 1, key))
  return [await uses(rows.cluster.id, { client }, baseline)]
}

export const redis: Suite = {
  rows: Object.values(rows),
  pace: {
    full: { rounds: 25, slice: 150, baselineSlice: 75, warmUp: 1500 },
    quick: { rounds: 7, slice: 80, baselineSlice: 40, warmUp: 500 },
  },
  open: async (chosen) => {
    const ends: (() => unknown)[] = []
    const close = async (): Promise<void> => {
      for (const end of ends.toReversed()) await end()
    }
    try {
      const wantsSingle = [rows.ioredis, rows.nodeRedis, rows.peer].some(({ id }) => chosen.has(id))
      const single = wantsSingle ? await openSingle(chosen, ends) : []
      const cluster = chosen.has(rows.cluster.id) ? await openCluster(ends) : []
      return { entries: [...single, ...cluster], close }
    } catch (error) {
      await close()
      throw error
    }
  },
}
