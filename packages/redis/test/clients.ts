import { Cluster as IoredisCluster, Redis as Ioredis } from 'ioredis'
import { Redis as Iovalkey } from 'iovalkey'
import { createClient, createCluster } from 'redis'
import type { RedisLedgerOptions } from '@hallpass/redis'
import type { Evaluate } from './under-test.ts'

export interface TestClient {
  readonly client: RedisLedgerOptions['client']
  readonly evaluate: Evaluate
  close(): Promise<void>
}

/** Every client we say we speak to, by name. */
export const singleClients: Readonly<Record<string, (port: number) => Promise<TestClient>>> = {
  async ioredis(port) {
    const client = new Ioredis({ port, host: '127.0.0.1' })
    client.on('error', () => undefined)
    return {
      client,
      evaluate: (text, key, args) => client.eval(text, 1, key, ...args),
      close: async () => client.disconnect(),
    }
  },
  async iovalkey(port) {
    const client = new Iovalkey({ port, host: '127.0.0.1' })
    client.on('error', () => undefined)
    return {
      client,
      evaluate: (text, key, args) => client.eval(text, 1, key, ...args),
      close: async () => client.disconnect(),
    }
  },
  async 'node-redis'(port) {
    const client = createClient({ url: `redis://127.0.0.1:${port}` })
    client.on('error', () => undefined)
    await client.connect()
    return {
      client,
      evaluate: (text, key, args) => client.eval(text, { keys: [key], arguments: [...args] }),
      close: async () => client.destroy(),
    }
  },
}

export const clusterClients: Readonly<Record<string, (ports: readonly number[]) => Promise<TestClient>>> = {
  async ioredis(ports) {
    const client = new IoredisCluster(ports.map((port) => ({ host: '127.0.0.1', port })))
    client.on('error', () => undefined)
    return {
      client,
      evaluate: (text, key, args) => client.eval(text, 1, key, ...args),
      close: async () => client.disconnect(),
    }
  },
  async 'node-redis'(ports) {
    const client = createCluster({ rootNodes: ports.map((port) => ({ url: `redis://127.0.0.1:${port}` })) })
    client.on('error', () => undefined)
    await client.connect()
    return {
      client,
      evaluate: (text, key, args) => client.eval(text, { keys: [key], arguments: [...args] }),
      close: async () => client.destroy(),
    }
  },
}
