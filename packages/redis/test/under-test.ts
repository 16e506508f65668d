import type { RedisLedgerOptions } from '@hallpass/redis'
import { redisLedger } from '@hallpass/redis'

let count = 0

/** A prefix nobody else uses on this server. */
export function freshPrefix(): string {
  count += 1
  return `t${process.pid}-${count}`
}

/** What a hand on the clock needs of any client. */
export type Evaluate = (text: string, key: string, args: readonly string[]) => Promise<unknown>

/**
 * A ledger in an empty corner of a server, with its clock stopped and in our hand: its high-water mark is an hour ahead
 * of the server's time, and `advance` moves the mark.
 */
export async function underTest(options: RedisLedgerOptions, evaluate: Evaluate) {
  const prefix = options.prefix ?? freshPrefix()
  const shards = options.shards ?? 1
  const ledger = await redisLedger({ ...options, prefix, shards })
  let clock = Date.now() + 3_600_000
  const set = async () => {
    for (let shard = 0; shard < shards; shard += 1) {
      await evaluate("return redis.call('HSET', KEYS[1], 'clock', ARGV[1])", `{${prefix}:${shard}}:meta`, [
        String(clock),
      ])
    }
  }
  await set()
  return {
    ledger,
    prefix,
    async advance(seconds: number) {
      clock += Math.round(seconds * 1000)
      await set()
    },
  }
}
