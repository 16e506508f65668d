export { redisLedger } from './redis-ledger.ts'
export type { RedisLedgerOptions } from './redis-ledger-options.ts'
export type { IoredisLike, NodeRedisLike } from './client/redis-connection.ts'
