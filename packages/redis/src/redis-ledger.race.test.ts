import type { GrantRecord, Ledger, Limit } from '@hallpass/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { clusterClients, singleClients } from '../test/clients.ts'
import { canStartServers } from '../test/reach.ts'
import { calls, openTask, register } from '../test/records.ts'
import type { TestCluster } from '../test/redis-cluster.ts'
import { startCluster } from '../test/redis-cluster.ts'
import type { TestServer } from '../test/redis-server.ts'
import { startRedis } from '../test/redis-server.ts'
import { inReplica } from '../test/replica.ts'
import { freshPrefix } from '../test/under-test.ts'
import { redisLedger } from './redis-ledger.ts'

const PROCESSES = 4

/** What each replica does: 64 clients that all want every grant, over and over. Says how often each was used. */
const RACE = `
import { Cluster, Redis } from 'ioredis'
import { createClient, createCluster } from 'redis'
import { redisLedger } from '@hallpass/redis'
const { ports, library, isCluster, prefix, shards, grants, rounds } = JSON.parse(process.argv[1])
const url = (port) => 'redis://127.0.0.1:' + port
const nodes = ports.map((port) => ({ host: '127.0.0.1', port }))
const client = library === 'ioredis'
  ? (isCluster ? new Cluster(nodes) : new Redis(nodes[0]))
  : await (isCluster ? createCluster({ rootNodes: ports.map((port) => ({ url: url(port) })) }) : createClient({ url: url(ports[0]) })).connect()
const ledger = await redisLedger({ client, prefix, shards, timeoutMs: 30000 })
const used = grants.map(() => 0)
const refused = {}
let count = 0
await Promise.all(Array.from({ length: 64 }, async () => {
  for (let round = 0; round < rounds; round += 1) {
    const index = count++ % grants.length
    const grant = grants[index]
    const id = crypto.randomUUID()
    const now = Date.now() / 1000
    const { audience, issuer, jti, txn, clientId, iat, exp, action, resource } = grant
    const answer = await ledger.redeem({ attempt: id, event: id, audience, issuer, jti, txn, clientId, iat, exp, action, resource,
      source: 'registered', limits: [], amounts: { amount: 7 },
      proof: { jkt: grant.jkt, jti: id, iat: Math.floor(now), acceptUntil: now + 60 } })
    if (answer.ok && answer.state === 'first') used[index] += 1
    else refused[answer.reason ?? answer.state] = (refused[answer.reason ?? answer.state] ?? 0) + 1
  }
}))
console.log(JSON.stringify({ used, refused }))
process.exit(0)
`

interface Race {
  readonly used: readonly number[]
  readonly refused: Readonly<Record<string, number>>
}

const ofTask: Limit = { id: 'total', per: 'task', max: 1000, parameter: 'amount', scale: 2 }
const ofAgent: Limit = { id: 'day', per: 'agent', max: 350, parameter: 'amount', scale: 2, window_seconds: 86_400 }

/** Grants of every kind, and how often each group may be used in all. */
async function field(ledger: Ledger) {
  const one = await openTask(ledger)
  const [two, three] = [
    await openTask(ledger, { clientId: 'day-bot' }),
    await openTask(ledger, { clientId: 'day-bot' }),
  ]
  const groups: readonly { readonly uses: number; readonly grants: readonly GrantRecord[] }[] = [
    ...(await Promise.all(
      [1, 7, 100].map(async (uses) => ({ uses, grants: [await register(ledger, one, { limits: [calls(uses)] })] })),
    )),
    {
      // floor(1000 / 7), however many grants share the total.
      uses: 142,
      grants: await Promise.all([1, 2].map(() => register(ledger, one, { limits: [calls(1000), ofTask] }))),
    },
    {
      // floor(350 / 7), across two tasks of one agent.
      uses: 50,
      grants: await Promise.all([two, three].map((task) => register(ledger, task, { limits: [calls(1000), ofAgent] }))),
    },
  ]
  return groups
}

async function race(where: {
  readonly ports: readonly number[]
  readonly library: string
  readonly shards: number
  readonly ledger: Ledger
  readonly prefix: string
}) {
  const { ledger, ports, library, prefix, shards } = where
  const groups = await field(ledger)
  const grants = groups.flatMap((group) => group.grants)
  const input = { ports, library, isCluster: ports.length > 1, prefix, shards, grants, rounds: 20 }
  const races = (await Promise.all(Array.from({ length: PROCESSES }, () => inReplica(RACE, input)))) as readonly Race[]
  const used = groups.map((group) => {
    const places = group.grants.map((grant) => grants.indexOf(grant))
    return races.flatMap((each) => places.map((place) => each.used[place] ?? 0)).reduce((sum, count) => sum + count, 0)
  })
  return {
    used,
    allowed: groups.map(({ uses }) => uses),
    reasons: [...new Set(races.flatMap(({ refused }) => Object.keys(refused)))].toSorted(),
  }
}

describe.skipIf(!canStartServers())('redisLedger() with 4 replicas of 64 clients each', () => {
  let server: TestServer
  let cluster: TestCluster
  beforeAll(async () => {
    ;[server, cluster] = await Promise.all([startRedis(), startCluster(3)])
  }, 60_000)
  afterAll(async () => {
    await Promise.all([server?.close(), cluster?.close()])
  })

  it.each(['ioredis', 'node-redis'])(
    'lets exactly as many uses through as are allowed, one server, %s',
    async (library) => {
      const prefix = freshPrefix()
      const made = await singleClients[library]?.(server.port)
      if (made === undefined) throw new Error('No such client')
      const ledger = await redisLedger({ client: made.client, prefix, shards: 1 })
      const { used, allowed, reasons } = await race({ ledger, library, prefix, shards: 1, ports: [server.port] })
      expect(used).toEqual(allowed)
      expect(reasons).toEqual(['grant-exhausted', 'limit-exceeded'])
      await made.close()
    },
    90_000,
  )

  it.each(['ioredis', 'node-redis'])(
    'lets exactly as many uses through as are allowed, 3 masters, %s',
    async (library) => {
      const prefix = freshPrefix()
      const ports = cluster.nodes.map(({ port }) => port)
      const made = await clusterClients[library]?.(ports)
      if (made === undefined) throw new Error('No such client')
      const ledger = await redisLedger({ client: made.client, prefix, shards: 8 })
      const { used, allowed, reasons } = await race({ ledger, library, prefix, shards: 8, ports })
      expect(used).toEqual(allowed)
      expect(reasons).toEqual(['grant-exhausted', 'limit-exceeded'])
      await made.close()
    },
    90_000,
  )
})
