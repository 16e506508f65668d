import type { JsonObject } from '../json/value.ts'
import type { Ceiling, Limit } from '../grant/entry.ts'
import type { RefusalReason } from '../reason.ts'
import type { MaybePromise, Refused, Result } from '../result.ts'
import type { RevocationRead, StatusSeries } from './revocation-entry.ts'
import type { RevocationTarget } from './revocation-target.ts'

export type { RevocationTarget } from './revocation-target.ts'

/** How one use ended, as far as a retry with the same idempotency key may be told. */
export interface Outcome {
  readonly status: number
  readonly contentType?: string
  /** Repeated to a retry; absent when it was too large to keep. */
  readonly body?: string
}

/** Everything `redeem` needs to decide in one atomic operation. Times are NumericDate seconds. */
export interface RedeemRequest {
  /**
   * Id of this attempt: a resend with it is the same redeem and gets the same answer while the use is running and
   * the grant lives. Another request under a used id is refused.
   */
  readonly attempt: string
  readonly audience: string
  readonly issuer: string
  readonly jti: string
  readonly txn: string
  readonly clientId: string
  readonly iat: number
  readonly exp: number
  readonly action: string
  /** The one resource that is used, never a class. */
  readonly resource: string
  /**
   * `registered`: the ledger knows this grant or refuses it, and its registered limits count.
   * `signed`: the verifier's store is its own; the limits below, out of the signed grant, count.
   */
  readonly source: 'registered' | 'signed'
  /**
   * For `signed`: limits per `grant` only, with a cap on calls among them. What is counted per task or agent spans
   * ledgers; the broker charges it at issue, and here it is refused.
   */
  readonly limits: readonly Limit[]
  /** For `signed`: the task's deadline where the token says it; absent = the longest a task may last. */
  readonly deadline?: number
  /** For `signed`: needed by revocations of an owner or a policy version; absent while one stands = refused. */
  readonly owner?: string
  readonly policyVersion?: string
  /** Scaled units per parameter named by a limit; missing where a limit asks = refused. */
  readonly amounts: Readonly<Record<string, number>>
  readonly proof?: { readonly jkt: string; readonly jti: string; readonly iat: number; readonly acceptUntil: number }
  readonly idempotency?: { readonly key: string; readonly digest: string }
  /** Id of the audit event that records this use. */
  readonly event: string
  /**
   * Whoever sweeps this ledger puts the use on record where that is missing: `use()` and `sweep()` say so again. Not set
   * by verifiers whose own trail has it.
   */
  readonly outbox?: true
  /** W3C `traceparent` for that event. Ledgers do not look at it. */
  readonly trace?: string
}

export type RedeemAnswer =
  | {
      readonly ok: true
      readonly state: 'first'
      readonly reservation: string
      readonly at: number
      readonly usesLeft: number
    }
  | { readonly ok: true; readonly state: 'running' | 'unknown'; readonly event: string }
  | { readonly ok: true; readonly state: 'done'; readonly event: string; readonly outcome: Outcome }
  | (Refused<RefusalReason> & { readonly limit?: string })

/** What a verifier needs of a ledger. */
export interface UseLedger {
  readonly exactFor: 'one-process' | 'one-machine' | 'all-replicas'
  /** The one atomic step in which a request spends its grant. Last, because it cannot be undone. */
  redeem(request: RedeemRequest): MaybePromise<RedeemAnswer>
  /**
   * reserved -> committed, with the outcome. Idempotent; a lease that ran out is committed as `unknown`.
   * A reservation id cannot be guessed: whoever holds it made the redeem.
   */
  settle(reservation: string, outcome: Outcome): MaybePromise<void>
  /** reserved -> released, the only way a use comes back. False when settled, expired, ended or unknown. */
  giveBack(reservation: string, reason: string): MaybePromise<boolean>
}

export type TaskEnd = 'completed' | 'failed' | 'cancelled' | 'abandoned' | 'expired' | 'revoked'

export interface TaskRecord {
  readonly txn: string
  /** Agent id = OAuth client_id = key of the policy's `agents`. */
  readonly clientId: string
  readonly owner: string
  readonly purpose: string
  readonly note?: string
  readonly ceiling?: Ceiling
  readonly jkt: string
  readonly identity: { readonly iss: string; readonly sub: string }
  readonly onBehalfOf?: { readonly iss: string; readonly sub: string; readonly tenant?: string }
  readonly openedAt: number
  readonly deadline: number
  readonly policy: { readonly version: string; readonly digest: string }
  readonly incarnation: string
}

export interface TaskState extends TaskRecord {
  readonly end?: { readonly how: TaskEnd; readonly at: number; readonly reason?: string }
  readonly grantsIssued: number
  /** Uses so far, by action. */
  readonly uses: Readonly<Record<string, number>>
  /** Spent so far on the task's counters, by limit id, scaled units. */
  readonly spent: Readonly<Record<string, number>>
  /** Decisions refused in this task so far. */
  readonly refusals: number
}

export interface GrantRecord {
  /** Counters and revocations are keyed by issuer and jti: another issuer's grant with this jti is unknown. */
  readonly issuer: string
  readonly jti: string
  readonly txn: string
  readonly clientId: string
  readonly owner: string
  readonly audience: string
  readonly action: string
  readonly resource: string
  readonly iat: number
  readonly exp: number
  readonly jkt?: string
  readonly limits: readonly Limit[]
  /**
   * Charged to task and agent counters at issue: where the API's ledger is its own, limits that span ledgers are split
   * here. `amounts` are per use, and everything is charged `uses` times. It does not come back.
   */
  readonly chargeAtIssue?: {
    readonly limits: readonly Limit[]
    readonly amounts: Readonly<Record<string, number>>
    readonly uses: number
  }
  readonly policy: { readonly version: string; readonly digest: string }
  readonly status: { readonly uri: string; readonly idx: number }
  readonly incarnation: string
}

export interface GrantState extends GrantRecord {
  readonly revoked?: { readonly at: number; readonly reason: string }
  readonly usesLeft: number
}

/** What a revocation killed, or would kill in a dry run. */
export interface RevocationEffect {
  readonly tasks: readonly string[]
  readonly grants: readonly {
    readonly jti: string
    readonly txn: string
    readonly status: { readonly uri: string; readonly idx: number }
  }[]
}

/** One use, as its events tell it. */
export interface UseRecord {
  /** Id of the event that records it. */
  readonly event: string
  readonly reservation: string
  readonly jti: string
  readonly txn: string
  readonly clientId: string
  readonly audience: string
  readonly action: string
  /** The one resource that was used; undefined where only a signed grant said it. */
  readonly resource: string | undefined
  /** Of the grant; undefined for one that is bound to no key. */
  readonly jkt: string | undefined
  /** NumericDate at which it was redeemed, on the ledger's clock. */
  readonly at: number
  readonly outbox: boolean
}

export interface UseState extends UseRecord {
  /** `unknown` from the end of its lease on, told or not. */
  readonly state: 'running' | 'done' | 'released' | 'unknown'
}

/**
 * What a sweep found: tasks past their deadline, grants that expired with uses left, uses whose lease ran out. And uses
 * with `outbox` that were given back so long ago that whoever was told has put it on record, or is gone.
 */
export interface Swept {
  readonly tasks: readonly TaskState[]
  readonly grants: readonly GrantState[]
  readonly unknownUses: readonly UseRecord[]
  readonly releasedUses: readonly UseRecord[]
  /** For `acknowledge`; opaque. */
  readonly receipt: string
}

/** What was swept and not acknowledged is handed out again after this many seconds. */
export const SWEEP_CLAIM_SECONDS = 30

/** The broker's ledger: every task and grant is here before its token leaves the broker. */
export interface Ledger extends UseLedger {
  /** Which life of the store this is; tasks of another are refused (rule 5). */
  readonly incarnation: string
  /** The ledger's never-decreasing clock, NumericDate seconds with fractions. */
  now(): MaybePromise<number>
  openTask(task: TaskRecord, bounds: { readonly maxOpenTasks: number }): MaybePromise<Result<TaskRecord, RefusalReason>>
  task(txn: string): MaybePromise<TaskState | undefined>
  /**
   * Checks task, agent and revocations atomically with the write. Refuses a grant without a cap on its own calls,
   * one that outlives its task or the longest TTL, and a limit whose id is counted in another unit.
   */
  registerGrant(grant: GrantRecord): MaybePromise<Result<GrantRecord, RefusalReason>>
  grant(jti: string): MaybePromise<GrantState | undefined>
  /** Counts a refused decision in the task's history. */
  noteRefusal(txn: string): MaybePromise<void>
  /** Kills the task and every grant in it. Undefined when it was not open: the first end stands. */
  endTask(txn: string, how: TaskEnd, reason?: string): MaybePromise<RevocationEffect | undefined>
  /** Wide revocations stop issuing for their target first, then kill. */
  revoke(
    target: RevocationTarget,
    reason: string,
    options?: { readonly dryRun?: boolean },
  ): MaybePromise<RevocationEffect>
  /** Clears an agent, owner, action, policy version or everything that was stopped; what was killed stays dead. */
  resume(target: RevocationTarget, reason: string): MaybePromise<boolean>
  /**
   * Takes `size` status indexes of a series that nobody else has or had, in one atomic step: the first of a row of
   * them. 0 takes nothing and answers how many are taken. Brokers that share a ledger take blocks and give them out.
   */
  reserveStatus(series: StatusSeries, size: number): MaybePromise<number>
  /**
   * Reads the log of what was killed, stopped and lifted: at most `limit` lines after a cursor, or from the start.
   *
   * A line is written in the same atomic operation as the kill, so a kill that was acknowledged is read by whoever
   * reads after it, and lines come in an order in which no later read finds one before a cursor it gave. A line is kept
   * for as long as it says something: a grant's until it expired on every clock, a stop's until it is lifted, a lift's
   * until what its cut-off kills has expired. A read from the start finds all of these; it may exceed `limit` by the
   * stops that stand. Where wide kills are written in steps, the stop is the first of them.
   */
  revocations(from: { readonly after?: string; readonly limit: number }): MaybePromise<RevocationRead>
  /**
   * Calls `wake` soon after lines were added, by whichever process; returns what ends that. A wake may be lost or come
   * for nothing: readers look by themselves every now and then. Absent where a store cannot tell.
   */
  watch?(wake: () => void): () => void
  /** A use by its reservation, while it may be settled or given back; after that for as long as the store keeps it. */
  use(reservation: string): MaybePromise<UseState | undefined>
  /**
   * What ran out since the last call, for the trail: each once where it is acknowledged, and again, to whoever sweeps
   * then, 30 s later where it is not. Whoever owns the ledger calls it regularly.
   */
  sweep(): MaybePromise<Swept>
  /** What was swept is on record. Does nothing for a receipt that is not this ledger's, or was given before. */
  acknowledge(receipt: string): MaybePromise<void>
  /**
   * Insert-if-absent, for proofs and assertions at the broker's own endpoints. Kept to `until` plus the maximum skew;
   * what is over already counts as seen.
   */
  markOnce(key: string, until: number): MaybePromise<'first' | 'seen' | 'full'>
  /** Records that an assertion binds this key; refused beyond `maxKeys` distinct keys. */
  bindKey(
    assertion: string,
    jkt: string,
    bounds: { readonly maxKeys: number; readonly until: number },
  ): MaybePromise<Result<{ readonly keys: number }, RefusalReason>>
  /** Live sizes, for health and metrics. */
  sizes(): MaybePromise<JsonObject>
}
