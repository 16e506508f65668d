import type { TestServer } from './redis-server.ts'
import { ask, startRedis } from './redis-server.ts'

export interface TestCluster {
  readonly nodes: readonly TestServer[]
  readonly replicas: readonly TestServer[]
  close(): Promise<void>
}

const SLOTS = 16_384

/** A cluster of `masters` servers, each with as many replicas, on loopback, saving nothing. */
export async function startCluster(masters = 3, replicasEach = 0): Promise<TestCluster> {
  const args = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '1500', '--cluster-require-full-coverage', 'yes']
  const count = masters * (1 + replicasEach)
  const started = await Promise.allSettled(Array.from({ length: count }, () => startRedis(args)))
  const servers = started.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
  if (servers.length < count) {
    await Promise.all(servers.map((server) => server.close()))
    throw new Error('Not every node of the cluster started')
  }
  const nodes = servers.slice(0, masters)
  const replicas = servers.slice(masters)
  const first = servers[0]
  if (first === undefined) throw new Error('A cluster has one node or more')
  await Promise.all(
    nodes.map(({ port }, index) => {
      const [from, to] = [Math.floor((index * SLOTS) / masters), Math.floor(((index + 1) * SLOTS) / masters) - 1]
      return ask(port, 'CLUSTER', 'ADDSLOTSRANGE', String(from), String(to))
    }),
  )
  await Promise.all(servers.map(({ port }, index) => ask(port, 'CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1))))
  for (const { port } of servers.slice(1)) await ask(port, 'CLUSTER', 'MEET', '127.0.0.1', String(first.port))
  await until(async () => {
    const known = await Promise.all(servers.map(({ port }) => ask(port, 'CLUSTER', 'NODES')))
    return known.every((nodesKnown) => String(nodesKnown).trim().split('\n').length === count)
  })
  for (const [index, replica] of replicas.entries()) {
    const master = nodes[index % masters]
    if (master !== undefined) {
      await ask(replica.port, 'CLUSTER', 'REPLICATE', String(await ask(master.port, 'CLUSTER', 'MYID')))
    }
  }
  await until(async () => {
    const infos = await Promise.all(servers.map(({ port }) => ask(port, 'CLUSTER', 'INFO')))
    return infos.every((info) => String(info).includes('cluster_state:ok'))
  })
  return {
    nodes,
    replicas,
    async close() {
      await Promise.all(servers.map((server) => server.close()))
    },
  }
}

export async function until(holds: () => Promise<boolean>, ms = 15_000): Promise<void> {
  const end = Date.now() + ms
  while (!(await holds().catch(() => false))) {
    if (Date.now() > end) throw new Error('What was waited for did not come')
    await new Promise((resolve) => setTimeout(resolve, 30))
  }
}
