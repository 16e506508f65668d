import { matchResource } from '../catalog/resource.ts'
import type { RefusalReason } from '../reason.ts'
import { Attempts, ELSEWHERE, NEVER } from './attempts.ts'
import type { Charges } from './charges.ts'
import type { Expiring } from './expiry-queue.ts'
import type { Fingerprint } from './fingerprint-set.ts'
import type { GrantRecord, GrantState, RedeemRequest } from './ledger.ts'
import type { GrantOfTask, LiveTask } from './live-task.ts'
import type { StandingStops } from './standing-stops.ts'
import type { Repeats, Use, UsedGrant } from './use.ts'

/** What is fixed about a grant when the ledger first hears of it. */
export interface GrantFacts {
  readonly issuer: string
  readonly jti: string
  readonly txn: string
  readonly clientId: string
  readonly audience: string
  readonly action: string
  /** Undefined where only the signed entry says it: the verifier holds the request against that. */
  readonly resource: string | undefined
  readonly iat: number
  readonly exp: number
  readonly jkt?: string | undefined
  readonly owner?: string | undefined
  /** These two where a signed grant says them; a registered one is asked of its record and its task. */
  readonly policyVersion?: string | undefined
  readonly deadline?: number | undefined
}

/** Where a grant comes from: its registration, or its signature and the revocations this store was told of. */
type Origin = { readonly record: GrantRecord; readonly task: LiveTask } | { readonly stops: StandingStops }

/** A grant until it expires, with straight references to all that a redeem touches. */
export class LiveGrant implements Expiring, UsedGrant, GrantOfTask {
  readonly facts: GrantFacts
  readonly charges: Charges
  readonly record: GrantRecord | undefined
  /** Undefined for a signed grant in a verifier's own store. */
  readonly task: LiveTask | undefined
  readonly actionUses: { count: number }
  revoked: { readonly at: number; readonly reason: string } | undefined = undefined
  repeats: Repeats | undefined = undefined
  /** Of the key it is bound to, from its first proof on. */
  holder: Fingerprint | undefined = undefined
  due = 0
  slot = -1
  readonly #stops: StandingStops | undefined
  /** How many were made of it. */
  uses = 0
  #attempts: Attempts | undefined = undefined
  /** Those of which more is told than fits among the attempts; by attempt, from the second on. */
  #firstKept: Use | undefined = undefined
  #kept: Map<string, Use> | undefined = undefined

  constructor(facts: GrantFacts, charges: Charges, origin: Origin) {
    this.facts = facts
    this.charges = charges
    const registered = 'record' in origin
    this.record = registered ? origin.record : undefined
    this.task = registered ? origin.task : undefined
    this.#stops = registered ? undefined : origin.stops
    this.actionUses = registered ? origin.task.usesOf(facts.action) : { count: 0 }
  }

  /** What became of this attempt: NEVER where it is new. */
  attempted(mark: Fingerprint): number {
    return this.#attempts === undefined ? NEVER : this.#attempts.get(mark)
  }

  /** The use of this attempt that is kept as it is. */
  keptUse(attempt: string): Use | undefined {
    if (this.#kept !== undefined) return this.#kept.get(attempt)
    return this.#firstKept?.attempt === attempt ? this.#firstKept : undefined
  }

  addUse(use: Use): void {
    this.uses += 1
    if (use.mark === undefined) this.#keep(use)
    else this.#note(use.mark, use.place)
  }

  /** A use is over: what an attempt sent again is told takes three numbers, unless a retry may ask for more. */
  endUse(use: Use): void {
    if (use.mark === undefined) return
    const what = use.briefly()
    if (what === ELSEWHERE) this.#keep(use)
    this.#note(use.mark, what)
  }

  #keep(use: Use): void {
    if (this.#firstKept === undefined) {
      this.#firstKept = use
      return
    }
    this.#kept ??= new Map([[this.#firstKept.attempt, this.#firstKept]])
    this.#kept.set(use.attempt, use)
  }

  #note(mark: Fingerprint, what: number): void {
    this.#attempts ??= new Attempts()
    this.#attempts.set(mark, what)
  }

  /** Why it is good for nothing any more, its uses aside; undefined while it lives. No leeway for `exp`. */
  whyDead(now: number): RefusalReason | undefined {
    if (this.revoked !== undefined || this.task?.end?.how === 'revoked') return 'grant-revoked'
    const over = this.task?.whyOver(now)
    if (over !== undefined) return over
    const { exp, deadline } = this.facts
    if (!(now < exp)) return 'token-expired'
    if (deadline !== undefined && !(now < deadline)) return 'task-expired'
    return this.#stops?.whyRefused(this.facts)
  }

  lives(now: number): boolean {
    return this.whyDead(now) === undefined
  }

  /** Why a request that names this grant is not about what was granted, or undefined when it is. */
  whyOther(request: RedeemRequest): RefusalReason | undefined {
    const { facts } = this
    if (request.audience !== facts.audience) return 'audience-mismatch'
    if (request.issuer !== facts.issuer || request.txn !== facts.txn) return 'grant-unknown'
    if (request.clientId !== facts.clientId) return 'grant-unknown'
    if (request.iat !== facts.iat || request.exp !== facts.exp) return 'grant-unknown'
    if (request.action !== facts.action) return 'action-mismatch'
    if (facts.resource !== undefined && !matchResource(facts.resource, request.resource)) return 'resource-mismatch'
    if (facts.jkt === undefined || facts.jkt === request.proof?.jkt) return undefined
    return request.proof === undefined ? 'proof-missing' : 'binding-failed'
  }

  /** Undefined where the grant was never registered here. */
  state(now: number): GrantState | undefined {
    if (this.record === undefined) return undefined
    const end = this.task?.end
    // What had expired when its task ended was not killed by it.
    const killed =
      end !== undefined && end.at < this.facts.exp ? { at: end.at, reason: end.reason ?? end.how } : undefined
    const revoked = this.revoked ?? killed
    return { ...this.record, ...(revoked && { revoked }), usesLeft: this.charges.callsLeft(now) }
  }
}
