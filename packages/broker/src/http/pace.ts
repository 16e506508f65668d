import { TokenBucket, type Rate } from './token-bucket.ts'
import { reject, type Refusal } from './refusal.ts'

/** How often the token endpoint answers, per broker. What is over is told when to come back, and counted in the trail. */
export interface RateOptions {
  /** Each registered agent, API and operator, once its key is proven. Default: 100 a second, 1000 at once. */
  readonly perCaller?: Rate | 'unlimited'
  /**
   * All requests together that prove nobody, since each costs a signature check. Default: 200 a second, 1000 at once.
   * Beyond it only task tokens that this broker has seen before are looked at.
   */
  readonly unproven?: Rate | 'unlimited'
}

export const DEFAULT_RATES = {
  perCaller: { perSecond: 100, burst: 1000 },
  unproven: { perSecond: 200, burst: 1000 },
} as const satisfies RateOptions

/** Who may ask how often. State is bounded by the number of registered callers. */
export interface Pace {
  /** A refusal while this caller asks too much. Takes nothing: whoever copied a request must not use up its sender's share. */
  check(caller: string): Refusal | undefined
  /** Counts one request of a caller whose fresh proof was spent; a refusal where others were faster since the check. */
  take(caller: string): Refusal | undefined
  /** A refusal while too much comes from nobody in particular. What is under way is not counted yet. */
  checkUnproven(): Refusal | undefined
  /** Counts one request that proved nobody. */
  countUnproven(): void
}

interface PaceParts {
  readonly rates: RateOptions | undefined
  readonly isCaller: (id: string) => boolean
  readonly clock: () => number
}

export function createPace({ rates, isCaller, clock }: PaceParts): Pace {
  const { perCaller = DEFAULT_RATES.perCaller, unproven = DEFAULT_RATES.unproven } = rates ?? {}
  const buckets = new Map<string, TokenBucket>()
  const strangers = unproven === 'unlimited' ? undefined : new TokenBucket(unproven, clock())

  /** Somebody who is not registered any more is refused elsewhere, and needs no bucket. */
  const bucketOf = (caller: string): TokenBucket | undefined => {
    const known = buckets.get(caller)
    if (known !== undefined || perCaller === 'unlimited' || !isCaller(caller)) return known
    const bucket = new TokenBucket(perCaller, clock())
    buckets.set(caller, bucket)
    return bucket
  }

  return {
    check: (caller) => refusalFor(bucketOf(caller)?.wait(clock())),
    take: (caller) => refusalFor(bucketOf(caller)?.take(clock())),
    checkUnproven: () => refusalFor(strangers?.wait(clock())),
    countUnproven: () => void strangers?.take(clock()),
  }
}

function refusalFor(wait = 0): Refusal | undefined {
  if (wait === 0) return undefined
  return { ...reject('slow_down', { reason: 'rate-limited' }), retryAfterSeconds: Math.max(1, Math.ceil(wait)) }
}
