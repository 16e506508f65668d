import {
  DEFAULT_SKEW_SECONDS,
  HallpassError,
  MAX_SKEW_SECONDS,
  MAX_TASK_SECONDS,
  PROOF_MAX_AGE_SECONDS,
} from '@hallpass/core'
import { adaptClient } from './client/adapt-client.ts'
import type { IoredisLike, NodeRedisLike } from './client/redis-connection.ts'
import type { ShardSettings } from './shard/shard.ts'

export interface RedisLedgerOptions {
  /** A client or cluster of ioredis, iovalkey or node-redis (connected). It stays yours: nothing here closes it. */
  readonly client: IoredisLike | NodeRedisLike
  /** What every key begins with, inside the hash tag; default `hp`. Two ledgers on one server need two. */
  readonly prefix?: string
  /**
   * Slots that tasks are spread over, 1 to 256; default 1, and 16 on a cluster. Fixed for the life of the data: choose
   * more on a single server that is to become a cluster.
   */
  readonly shards?: number
  /** Raised by an operator after restoring old data: everything from before is refused. Never lowered. Default 0. */
  readonly epoch?: number
  /** Furthest that two clocks may be apart, 0 to 30; default 5. A verifier that allows more is refused. */
  readonly maxSkewSeconds?: number
  /** How long a handler may take before its use counts as `unknown`, 1 to 3600; default 60. */
  readonly leaseSeconds?: number
  /** Longest task; default and most 24 h. */
  readonly maxTaskSeconds?: number
  /** How long one call may take, its repetitions after a cut included, 50 to 60 000; default 2000. */
  readonly timeoutMs?: number
}

const NUMBERS = {
  shards: { least: 1, most: 256 },
  epoch: { least: 0, most: Number.MAX_SAFE_INTEGER },
  maxSkewSeconds: { least: 0, most: MAX_SKEW_SECONDS },
  leaseSeconds: { least: 1, most: 3600 },
  maxTaskSeconds: { least: 1, most: MAX_TASK_SECONDS },
  timeoutMs: { least: 50, most: 60_000 },
} as const

/** Throws HallpassError `configuration-invalid` for an unknown option, one out of range, or a client that is none. */
export function ledgerSettings(options: RedisLedgerOptions): ShardSettings {
  const given: Readonly<Record<string, unknown>> = { ...options }
  for (const name of Object.keys(given)) {
    if (name !== 'client' && name !== 'prefix' && !Object.hasOwn(NUMBERS, name))
      throw invalid(`${name} is not an option`)
  }
  const number = (name: keyof typeof NUMBERS, preset: number): number => {
    const { least, most } = NUMBERS[name]
    const value = given[name] ?? preset
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most) return value
    throw invalid(`${name} takes a whole number from ${least} to ${most}`)
  }
  const { prefix = 'hp' } = options
  if (typeof prefix !== 'string' || !/^[\w.-]{1,64}$/.test(prefix)) {
    throw invalid('prefix takes 1 to 64 letters, digits, dots, dashes and underscores')
  }
  const connection = adaptClient(options.client)
  const skew = number('maxSkewSeconds', DEFAULT_SKEW_SECONDS) * 1000
  return {
    connection,
    prefix,
    shards: number('shards', connection.isCluster ? 16 : 1),
    epoch: number('epoch', 0),
    times: {
      skew,
      lease: number('leaseSeconds', 60) * 1000,
      maxTask: number('maxTaskSeconds', MAX_TASK_SECONDS) * 1000,
      proofWindow: PROOF_MAX_AGE_SECONDS * 1000 + 2 * skew,
    },
    timeoutMs: number('timeoutMs', 2000),
  }
}

const invalid = (problem: string) => new HallpassError('configuration-invalid', `redisLedger: ${problem}`)
