import { MAX_TTL_SECONDS } from '../token/constants.ts'
import type { RefusalReason } from '../reason.ts'
import type { Expiring } from './expiry-queue.ts'
import { ExpiryQueue } from './expiry-queue.ts'
import type { RevocationTarget } from './ledger.ts'
import { targetName } from './target-name.ts'

type Kind = RevocationTarget['kind']

interface Stop extends Expiring {
  readonly kind: Kind
  readonly name: string
  /** Everything issued up to here is dead; infinity while the stop stands. */
  cutOff: number
}

/** What can be stopped about an issue. */
export interface IssueFacts {
  readonly clientId: string
  readonly owner: string
  readonly policyVersion: string
  readonly api?: { readonly audience: string; readonly action: string }
}

/** What can be stopped about a use. */
export interface UseFacts {
  readonly jti: string
  readonly txn: string
  readonly clientId: string
  readonly owner?: string | undefined
  readonly policyVersion?: string | undefined
  readonly audience: string
  readonly action: string
  readonly iat: number
}

/**
 * Revocations that are more than a mark on a known grant: they refuse what is issued while they stand, and in a
 * verifier's own store whatever was issued up to their end, plus the maximum skew between the two clocks.
 */
export class StandingStops {
  readonly #maxSkewSeconds: number
  readonly #stops = new Map<string, Stop>()
  readonly #kinds = new Map<Kind, number>()
  readonly #queue = new ExpiryQueue<Stop>()

  constructor(maxSkewSeconds: number) {
    this.#maxSkewSeconds = maxSkewSeconds
  }

  /** A stop without `until` stands until it is lifted. */
  stop(target: RevocationTarget, now: number, until = Number.POSITIVE_INFINITY): void {
    this.#forget(now)
    const name = targetName(target)
    const known = this.#stops.get(name)
    const stop = known ?? { kind: target.kind, name, cutOff: 0, due: 0, slot: -1 }
    stop.cutOff = Number.POSITIVE_INFINITY
    if (known === undefined) {
      this.#stops.set(name, stop)
      this.#kinds.set(stop.kind, (this.#kinds.get(stop.kind) ?? 0) + 1)
    }
    this.#queue.schedule(stop, until)
  }

  /** False when nothing of the kind stands, and for a single grant or task. What was issued before stays dead. */
  lift(target: RevocationTarget, now: number): boolean {
    if (target.kind === 'grant' || target.kind === 'task') return false
    this.#forget(now)
    const stop = this.#stops.get(targetName(target))
    if (stop === undefined || stop.cutOff !== Number.POSITIVE_INFINITY) return false
    stop.cutOff = now + this.#maxSkewSeconds
    // Whatever was issued by then has expired by then.
    this.#queue.schedule(stop, stop.cutOff + MAX_TTL_SECONDS + this.#maxSkewSeconds)
    return true
  }

  whyNotIssued({ clientId, owner, policyVersion, api }: IssueFacts): RefusalReason | undefined {
    if (this.#stops.size === 0) return undefined
    const stands = (target: RevocationTarget) => this.#cutOff(target) === Number.POSITIVE_INFINITY
    if (stands({ kind: 'everything' })) return 'stopped'
    if (stands({ kind: 'agent', clientId }) || stands({ kind: 'owner', owner })) return 'agent-revoked'
    if (stands({ kind: 'policy-version', version: policyVersion })) return 'stopped'
    return api !== undefined && stands({ kind: 'action', ...api }) ? 'stopped' : undefined
  }

  /** For grants this ledger knows by their signature only. */
  whyRefused(use: UseFacts): RefusalReason | undefined {
    if (this.#stops.size === 0) return undefined
    const { jti, txn, clientId, owner, policyVersion, audience, action, iat } = use
    const targets: RevocationTarget[] = [
      { kind: 'everything' },
      { kind: 'grant', jti },
      { kind: 'task', txn },
      { kind: 'agent', clientId },
      { kind: 'action', audience, action },
    ]
    if (owner !== undefined) targets.push({ kind: 'owner', owner })
    else if (this.#kinds.has('owner')) return 'grant-revoked'
    if (policyVersion !== undefined) targets.push({ kind: 'policy-version', version: policyVersion })
    else if (this.#kinds.has('policy-version')) return 'grant-revoked'
    return targets.some((target) => iat <= this.#cutOff(target)) ? 'grant-revoked' : undefined
  }

  #cutOff(target: RevocationTarget): number {
    return this.#stops.get(targetName(target))?.cutOff ?? Number.NEGATIVE_INFINITY
  }

  #forget(now: number): void {
    for (let stop = this.#queue.takeDue(now); stop !== undefined; stop = this.#queue.takeDue(now)) {
      this.#stops.delete(stop.name)
      const left = (this.#kinds.get(stop.kind) ?? 1) - 1
      if (left === 0) this.#kinds.delete(stop.kind)
      else this.#kinds.set(stop.kind, left)
    }
  }
}
