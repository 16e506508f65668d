import { HallpassError } from '@hallpass/core'
import type { IoredisLike, NodeRedisLike, RedisConnection } from './redis-connection.ts'
import { subscribeIoredis, subscribeNodeRedis } from './subscribe.ts'

/**
 * Speaks to ioredis, iovalkey or node-redis, single or cluster, told apart by their methods.
 * Throws HallpassError `configuration-invalid` for anything else, and for a node-redis client that is not connected.
 */
export function adaptClient(client: unknown): RedisConnection {
  if (isNodeRedis(client)) return adaptNodeRedis(client)
  if (isIoredis(client)) return adaptIoredis(client)
  throw invalid('client is not a client of ioredis, iovalkey or node-redis')
}

function adaptIoredis(client: IoredisLike): RedisConnection {
  return {
    isCluster: client.isCluster === true,
    evalsha: (sha, keys, args) => client.evalsha(sha, keys.length, ...keys, ...args),
    eval: (text, keys, args) => client.eval(text, keys.length, ...keys, ...args),
    subscribe: (channel, wake) => subscribeIoredis(client, channel, wake),
  }
}

function adaptNodeRedis(client: NodeRedisLike): RedisConnection {
  if (client.isOpen === false) throw invalid('client is not connected; await its connect() first')
  const options = (keys: readonly string[], args: readonly string[]) => ({ keys: [...keys], arguments: [...args] })
  return {
    isCluster: has(client, 'getSlotRandomNode'),
    evalsha: (sha, keys, args) => client.evalSha(sha, options(keys, args)),
    eval: (text, keys, args) => client.eval(text, options(keys, args)),
    subscribe: (channel, wake) => subscribeNodeRedis(client, channel, wake),
  }
}

const has = (client: unknown, method: string): boolean =>
  typeof client === 'object' && client !== null && typeof Reflect.get(client, method) === 'function'

const isNodeRedis = (client: unknown): client is NodeRedisLike => has(client, 'evalSha') && has(client, 'eval')
const isIoredis = (client: unknown): client is IoredisLike => has(client, 'evalsha') && has(client, 'eval')
const invalid = (problem: string) => new HallpassError('configuration-invalid', `redisLedger: ${problem}`)
