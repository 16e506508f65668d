import type { JwkSet, MaybePromise, RefusalReason, Refused, SignatureAlgorithm } from '@hallpass/core'
import { isPromise, ok, refuse } from '@hallpass/core'
import { chain } from '../flow/chain.ts'
import type { IssuerKeys } from './issuer-keys.ts'
import { createKeyRing } from './key-ring.ts'

/** Where a key set comes from, and how often it may be asked for. */
export interface KeySource {
  load(): MaybePromise<JwkSet>
  /** A set older than this is asked for again, behind the requests. */
  readonly refreshSeconds: number
  /** A set older than this is not relied on any more. */
  readonly staleSeconds: number
  /** After a load, an unknown `kid` does not cause another one for this long. */
  readonly coolDownSeconds: number
  /** After the n-th failed load in a row the next waits n times this, at most the cool-down. */
  readonly retrySeconds: number
}

const UNKNOWN: Refused<RefusalReason> = refuse('token-key-unknown')
const UNAVAILABLE: Refused<RefusalReason> = refuse('keys-unavailable', "The issuer's key set could not be loaded")

/**
 * An issuer's key set, kept and refreshed: one load at a time, a cool-down between loads that unknown keys cause, so
 * that a flood of forged key ids costs the issuer nothing.
 */
export function cachedKeys(source: KeySource, algorithms: readonly SignatureAlgorithm[]): IssuerKeys {
  const ring = createKeyRing(algorithms)
  let loadedAt = Number.NEGATIVE_INFINITY
  let notBefore = Number.NEGATIVE_INFINITY
  let settledAt = Number.NEGATIVE_INFINITY
  let failures = 0
  let loading: Promise<void> | undefined

  // A clock that was set back must not make the rest as long as the step.
  const rests = (now: number): boolean => now < notBefore && now >= settledAt
  const loaded = (now: number): void => {
    loadedAt = now
    settledAt = now
    notBefore = now + source.coolDownSeconds
    failures = 0
  }
  const failed = (now: number): void => {
    failures += 1
    settledAt = now
    notBefore = now + Math.min(failures * source.retrySeconds, Math.max(source.coolDownSeconds, source.retrySeconds))
  }
  // A failure keeps the old set until it is stale.
  const load = (now: number): MaybePromise<void> => {
    if (loading !== undefined) return loading
    if (rests(now)) return undefined
    try {
      const done = chain(
        chain(source.load(), (set) => ring.replace(set)),
        () => loaded(now),
      )
      if (!isPromise(done)) return done
      loading = done.catch(() => failed(now)).finally(() => (loading = undefined))
      return loading
    } catch {
      return failed(now)
    }
  }
  // By a clock that was set back the set would stay new for as long as the step: from there on it is due, and ages on.
  const ageAt = (now: number): number => {
    if (now < loadedAt) loadedAt = now - source.refreshSeconds
    return now - loadedAt
  }
  const isStale = (now: number): boolean => ageAt(now) > source.staleSeconds

  const lookUp = (kid: string, algorithm: string) => {
    const key = ring.get(kid)
    return key !== undefined && key.algorithm === algorithm ? ok(key) : undefined
  }

  return {
    current(now) {
      if (ageAt(now) < source.refreshSeconds) return true
      void load(now)
      return !isStale(now)
    },
    find(kid, algorithm, now) {
      const known = this.current(now) ? lookUp(kid, algorithm) : undefined
      if (known !== undefined) return known
      return chain(load(now), () => (isStale(now) ? UNAVAILABLE : (lookUp(kid, algorithm) ?? UNKNOWN)))
    },
  }
}
