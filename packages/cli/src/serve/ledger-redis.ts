import { setTimeout } from 'node:timers/promises'
import type { IoredisLike, NodeRedisLike, RedisLedgerOptions } from '@hallpass/redis'
import { redisLedger } from '@hallpass/redis'
import type { Library } from './client-library.ts'
import { clientLibrary } from './client-library.ts'
import type { OpenedLedger } from './opened-ledger.ts'

const QUIT_MS = 1000

interface RedisPlace {
  readonly urls: readonly string[]
  readonly isCluster: boolean
  readonly place: string
  readonly options: Omit<RedisLedgerOptions, 'client'>
}

interface Connected {
  readonly client: IoredisLike | NodeRedisLike
  readonly close: () => Promise<void>
}

/** A client says what went wrong by an event too, and one that nobody listens to would end the process. */
interface Emitter {
  on(event: 'error', listener: () => void): unknown
}
type Ioredis = IoredisLike & Emitter & { quit(): Promise<unknown>; disconnect(): void }
type NodeRedis = NodeRedisLike & Emitter & { connect(): Promise<unknown>; destroy(): void; close(): Promise<void> }

function connectIoredis({ exports }: Library, { urls, isCluster }: RedisPlace): Connected {
  const { Redis, Cluster } = exports as {
    readonly Redis: new (url: string) => Ioredis
    readonly Cluster: new (urls: readonly string[]) => Ioredis
  }
  const client = isCluster ? new Cluster(urls) : new Redis(urls[0] ?? '')
  client.on('error', () => undefined)
  // A client that never reached its server would wait for it before it quits.
  const close = async (): Promise<void> => {
    const quit = client.quit().then(
      () => true,
      () => false,
    )
    if (!(await Promise.race([quit, setTimeout(QUIT_MS, false)]))) client.disconnect()
  }
  return { client, close }
}

async function connectNodeRedis({ exports }: Library, { urls, isCluster }: RedisPlace): Promise<Connected> {
  const { createClient, createCluster } = exports as {
    readonly createClient: (options: { readonly url: string | undefined }) => NodeRedis
    readonly createCluster: (options: { readonly rootNodes: readonly { readonly url: string }[] }) => NodeRedis
  }
  const client = isCluster ? createCluster({ rootNodes: urls.map((url) => ({ url })) }) : createClient({ url: urls[0] })
  client.on('error', () => undefined)
  // It goes on trying for ever; the first question to the ledger has a time limit.
  void client.connect().catch(() => undefined)
  const close = async (): Promise<void> => {
    const closed = client.close().then(
      () => true,
      () => false,
    )
    if (!(await Promise.race([closed, setTimeout(QUIT_MS, false)]))) client.destroy()
  }
  return { client, close }
}

/** Opens the ledger in Redis or Valkey, by the client that is installed. */
export async function openRedis(configFile: string, place: RedisPlace): Promise<OpenedLedger> {
  const library = await clientLibrary(configFile, {
    names: ['ioredis', 'iovalkey', 'redis'],
    purpose: 'A ledger in Redis',
  })
  const { client, close } =
    library.name === 'redis' ? await connectNodeRedis(library, place) : connectIoredis(library, place)
  try {
    return { ledger: await redisLedger({ ...place.options, client }), place: place.place, close }
  } catch (error) {
    await close()
    throw error
  }
}
