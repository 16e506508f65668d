import type { JsonValue } from '../json/value.ts'
import type { MaybePromise } from '../result.ts'

export type EventType =
  | 'broker.started'
  | 'policy.loaded'
  | 'key.rotated'
  | 'task.opened'
  | 'task.refused'
  | 'task.renewed'
  | 'task.ended'
  | 'grant.issued'
  | 'grant.refused'
  | 'grant.revoked'
  | 'grant.expired'
  | 'use.started' // redeemed; on record before the handler runs
  | 'use.refused'
  | 'use.repeated' // an idempotent retry was answered without a new use
  | 'use.ended' // outcome after the handler
  | 'use.given-back'
  | 'use.unknown' // no outcome came within the lease
  | 'use.passed' // orElse or observeOnlyUntil let a request through without enforcement
  | 'trigger.fired' // an agent did what its policy says ends what it holds
  | 'revocation.requested'
  | 'revocation.lifted'
  | 'traffic.refused' // aggregated refusals of unauthenticated traffic
  | 'trail.checkpoint' // signed head of the chain; unsigned, with a reason, when the signer did not answer
  | 'trail.recovered' // a line torn by a crash was cut off
  | 'trail.vouched' // another process signed, with its own key, how far the chain of its events reaches
  | 'trail.gap' // a source's own chain does not go on where it stopped: lines missing, moved, repeated or replaced

/**
 * Where an event stood in the chain its source kept before it sent it on. The event without this member, written by
 * `formatLine` after `prev`, has this hash: whoever reads the trail can check the source's chain as well.
 */
export interface EventOrigin {
  /** Names the source's chain: one spool. */
  readonly chain: string
  readonly seq: number
  readonly prev: string
  readonly hash: string
}

/** One fact. Flat, closed vocabulary; absent members do not apply. Never a token, proof, key or parameter value. */
export interface AuditEvent {
  readonly id: string
  readonly type: EventType
  /** NumericDate seconds with milliseconds. */
  readonly time: number
  /** `broker:<issuer>` or `verifier:<audience>#<instance>`. */
  readonly source: string
  readonly txn?: string
  readonly jti?: string
  readonly client_id?: string
  readonly sub?: string
  readonly owner?: string
  readonly purpose?: string
  readonly note?: string
  readonly aud?: string
  readonly action?: string
  readonly resource?: string
  readonly reason?: string
  readonly detail?: string
  /** Policy rule that decided, with file and line where it failed. */
  readonly rule?: string
  readonly policy?: { readonly version: string; readonly digest: string }
  readonly limits?: JsonValue
  readonly ttl?: number
  readonly exp?: number
  readonly jkt?: string
  /** Keyed (HMAC) digest: equality can be seen, values cannot be guessed. */
  readonly parameters?: string
  readonly facts?: string
  readonly status?: number
  /** The event this one follows: `use.ended` names its `use.started`. */
  readonly follows?: string
  readonly call_id?: string
  /** W3C `traceparent` of the span that this happened in; joins, and proves nothing. */
  readonly trace?: string
  readonly count?: number
  readonly data?: JsonValue
  /** Present where the event came from another process that keeps a chain of its own. */
  readonly origin?: EventOrigin
}

/** What tells one event from all others: an id alone may be used by several sources. */
export type EventName = Pick<AuditEvent, 'id' | 'source'>

/**
 * A line of the trail: the event, chained. As text it starts with `seq` and `prev` and ends with `hash`, which is the
 * base64url SHA-256 of the line's own UTF-8 bytes before `,"hash":`. See `formatLine`.
 */
export interface TrailLine extends AuditEvent {
  readonly seq: number
  readonly prev: string
  readonly hash: string
}

/** Where events go. What it cannot record is not allowed: a throw or rejection here refuses the request. */
export interface AuditSink {
  /** Returns at once where the chain is in memory and durability is grouped; a promise where each is awaited. */
  append(event: AuditEvent): MaybePromise<void>
  /** Resolves when everything appended so far is as durable as this sink makes it. */
  flush(): Promise<void>
  close(): Promise<void>
  /** Events it took that are not yet where they are kept, for a gauge; absent where there are none. */
  readonly backlog?: () => number
  /**
   * Which of these events it has among those recorded since then (NumericDate). Absent where it cannot be asked: then
   * recovery after a crash knows only `tail`.
   */
  holds?(events: readonly EventName[], since: number): Promise<readonly EventName[]>
  /** Where the sink keeps events over a restart: the newest of them as it was opened, oldest first. */
  readonly tail?: readonly TrailLine[]
}

/** The newest line of the chain that one source keeps. */
export interface SourceHead {
  /** `verifier:<audience>`, without an instance. */
  readonly source: string
  readonly chain: string
  readonly seq: number
  readonly hash: string
}

/** Takes events of other processes to the trail that keeps them. */
export interface AuditDelivery {
  /** Resolves when every one of them is kept; those it had already are not kept twice. Rejects when that is not certain. */
  deliver(events: readonly AuditEvent[]): Promise<void>
  /**
   * Signs, with the sender's own key, how far the chain of what it delivered reaches, and takes that to the trail: who
   * keeps the trail cannot change those events unnoticed any more. Resolves to what was signed (compact JWS).
   */
  vouch?(head: SourceHead, options?: { readonly introduce?: boolean }): Promise<string>
  /** True for an event that the receiver puts on record by itself. */
  records?(event: AuditEvent): boolean
}

/** A trail that can be asked, as the console, the CLI and tests do. */
export interface Trail extends AuditSink {
  events(filter?: {
    readonly txn?: string
    readonly jti?: string
    readonly id?: string
    readonly type?: EventType
  }): Promise<readonly TrailLine[]>
}
