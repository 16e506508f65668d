import type { RefusalReason, TaskEnd } from '@hallpass/core'
import type { Write } from './life.ts'

export interface TaskRow {
  readonly txn: string
  readonly client_id: string
  readonly owner: string
  readonly deadline_us: number
  readonly incarnation: string
  readonly record: string
  readonly grants_issued: number
  readonly refusals: number
  /** Uses of grants that are forgotten, by action. */
  readonly past_uses: string | null
  readonly end_how: TaskEnd | null
  readonly end_at_us: number | null
  readonly end_reason: string | null
}

/** A grant, and what of its task decides whether it lives. */
export interface GrantRow {
  readonly jti: string
  readonly issuer: string
  readonly txn: string
  readonly client_id: string
  readonly audience: string
  readonly action: string
  readonly resource: string
  readonly iat_us: number
  readonly exp_us: number
  readonly jkt: string | null
  readonly calls_max: number
  readonly used: number
  /** Its limits as JSON, where there are others than its own calls. */
  readonly charges: string | null
  readonly record: string
  readonly revoked_at_us: number | null
  readonly revoked_reason: string | null
  readonly deadline_us: number
  readonly incarnation: string
  readonly end_how: TaskEnd | null
  readonly end_at_us: number | null
  readonly end_reason: string | null
}

export interface UseRow {
  readonly seq: number
  readonly secret: string
  readonly jti: string
  readonly txn: string
  readonly audience: string
  readonly attempt: string
  readonly event: string
  readonly idempotency_key: string | null
  readonly digest: string | null
  readonly at_us: number
  readonly lease_end_us: number
  readonly state: 'running' | 'done' | 'released' | 'unknown'
  readonly uses_left: number
  readonly units: string | null
  readonly outcome: string | null
  /** The one of a class that was used; null where it is the grant's. */
  readonly resource: string | null
  /** What its grant said, as JSON, once that is forgotten. */
  readonly facts: string | null
  readonly outbox: 0 | 1
}

/** A grant with its task; complete it with a WHERE. */
export const GRANTS = `SELECT g.*, t.deadline_us, t.incarnation, t.end_how, t.end_at_us, t.end_reason
  FROM hallpass_grant g JOIN hallpass_task t ON t.txn = g.txn`

interface TaskLife {
  readonly deadline_us: number
  readonly end_how: TaskEnd | null
}

/** Why nothing may be issued in a task or used from it, or undefined while it is open. */
export function whyOver({ deadline_us, end_how }: TaskLife, now: number): RefusalReason | undefined {
  if (end_how === null) return now < deadline_us ? undefined : 'task-expired'
  return end_how === 'expired' ? 'task-expired' : 'task-ended'
}

/** Why a grant is good for nothing any more, its uses aside; undefined while it lives. No leeway for `exp`. */
export function whyDead(grant: GrantRow, { now, incarnation }: Write): RefusalReason | undefined {
  if (grant.incarnation !== incarnation) return 'incarnation-mismatch'
  if (grant.revoked_at_us !== null || grant.end_how === 'revoked') return 'grant-revoked'
  return whyOver(grant, now) ?? (now < grant.exp_us ? undefined : 'token-expired')
}
