import { ledgerContract } from '@hallpass/testing'
import { afterAll, beforeAll, describe, it } from 'vitest'
import type { TestClient } from '../test/clients.ts'
import { clusterClients, singleClients } from '../test/clients.ts'
import { canStartServers, givenPort } from '../test/reach.ts'
import type { TestCluster } from '../test/redis-cluster.ts'
import { startCluster } from '../test/redis-cluster.ts'
import type { TestServer } from '../test/redis-server.ts'
import { startRedis } from '../test/redis-server.ts'
import { underTest } from '../test/under-test.ts'

const starts = canStartServers()
const port = givenPort()

function keepsContract(name: string, connect: () => Promise<TestClient>, shards: number): void {
  describe(`by ${name}`, () => {
    let made: TestClient
    beforeAll(async () => {
      made = await connect()
    })
    afterAll(async () => made?.close())
    ledgerContract({
      name: `redisLedger() by ${name}`,
      create: (settings) => underTest({ client: made.client, shards, timeoutMs: 10_000, ...settings }, made.evaluate),
      ownStore: false,
      describe,
      it,
    })
  })
}

describe.skipIf(!starts && port === undefined)('one server', () => {
  let server: TestServer | undefined
  beforeAll(async () => {
    if (starts) server = await startRedis()
  })
  afterAll(async () => server?.close())
  for (const [name, connect] of Object.entries(singleClients)) {
    keepsContract(name, () => connect(server?.port ?? port ?? 0), name === 'iovalkey' ? 5 : 1)
  }
})

describe.skipIf(!starts)('a cluster of 3 masters', () => {
  let cluster: TestCluster | undefined
  beforeAll(async () => {
    cluster = await startCluster(3)
  }, 30_000)
  afterAll(async () => cluster?.close())
  for (const [name, connect] of Object.entries(clusterClients)) {
    keepsContract(name, () => connect((cluster?.nodes ?? []).map((node) => node.port)), 8)
  }
})
