import type { Ledger } from '@hallpass/core'
import { feedContract } from '@hallpass/testing'
import type { FeedStores } from '@hallpass/testing'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { clusterClients, singleClients } from '../test/clients.ts'
import { startProxy } from '../test/proxy.ts'
import { canStartServers } from '../test/reach.ts'
import type { TestCluster } from '../test/redis-cluster.ts'
import { startCluster } from '../test/redis-cluster.ts'
import type { TestServer } from '../test/redis-server.ts'
import { startRedis } from '../test/redis-server.ts'
import { freshPrefix } from '../test/under-test.ts'
import type { RedisLedgerOptions } from './redis-ledger-options.ts'
import { redisLedger } from './redis-ledger.ts'

const starts = canStartServers()
const CUT = 'a line that is cut'
const SILENT = 'a line that says nothing'
const PAUSED = 'a server that is paused'
const RESTARTED = 'a server that starts again without its data'

const pausing = (server: TestServer) => ({
  begin: () => void process.kill(server.pid, 'SIGSTOP'),
  end: () => void process.kill(server.pid, 'SIGCONT'),
})

describe.skipIf(!starts)('one server', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startRedis()
  }, 60_000)
  afterAll(async () => server?.close())

  for (const [name, connect] of Object.entries(singleClients)) {
    // To us it is ioredis.
    if (name === 'iovalkey') continue
    const open = async (): Promise<FeedStores> => {
      const proxy = await startProxy(server.port)
      const [near, far] = [await connect(server.port), await connect(proxy.port)]
      const prefix = freshPrefix()
      const ledgerBy = (client: RedisLedgerOptions['client']): Promise<Ledger> =>
        redisLedger({ client, prefix, timeoutMs: 1000 })
      const mend = (): void => {
        proxy.answers = 'pass'
        proxy.cutAll()
      }
      return {
        ledgers: [await ledgerBy(near.client), await ledgerBy(far.client)],
        faults: {
          [CUT]: {
            begin() {
              proxy.answers = 'cut'
              proxy.cutAll()
            },
            end: mend,
          },
          [SILENT]: { begin: () => void (proxy.answers = 'swallow'), end: mend },
          [PAUSED]: pausing(server),
          [RESTARTED]: {
            begin: () => server.crash(),
            end: () => server.restart(),
          },
        },
        async close() {
          await Promise.all([near.close(), far.close()])
          await proxy.close()
        },
      }
    }
    feedContract({
      name: `redisLedger() by ${name}`,
      open,
      faults: [
        { name: CUT, hits: 'second' },
        { name: SILENT, hits: 'second' },
        { name: PAUSED, hits: 'both' },
        { name: RESTARTED, hits: 'loses' },
      ],
      wakes: true,
      tampers: false,
      describe,
      it,
    })
  }
})

describe.skipIf(!starts)('a cluster of 3 masters', () => {
  let cluster: TestCluster
  beforeAll(async () => {
    cluster = await startCluster(3)
  }, 60_000)
  afterAll(async () => cluster?.close())

  for (const [name, connect] of Object.entries(clusterClients)) {
    feedContract({
      name: `redisLedger() on a cluster by ${name}`,
      async open() {
        const ports = cluster.nodes.map(({ port }) => port)
        const clients = [await connect(ports), await connect(ports)] as const
        const prefix = freshPrefix()
        const ledgerBy = (client: RedisLedgerOptions['client']): Promise<Ledger> =>
          redisLedger({ client, prefix, shards: 8, timeoutMs: 10_000 })
        return {
          ledgers: [await ledgerBy(clients[0].client), await ledgerBy(clients[1].client)],
          close: async () => void (await Promise.all(clients.map((client) => client.close()))),
        }
      },
      wakes: true,
      tampers: name === 'ioredis',
      describe,
      it,
    })
  }
})
