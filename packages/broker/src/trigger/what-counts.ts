import type { AuditEvent, RefusalReason } from '@hallpass/core'
import type { Trigger } from '@hallpass/policy'

/** The kinds of trigger that count events. The others are told of what they wait for. */
export type Counted = Extract<
  Trigger['on'],
  'refused-requests' | 'out-of-scope' | 'proof-replayed' | 'used-after-end' | 'total-reached' | 'velocity'
>

const reasons = (...names: RefusalReason[]): ReadonlySet<string> => new Set(names)

const OUT_OF_SCOPE = reasons(
  'action-mismatch',
  'resource-mismatch',
  'parameters-mismatch',
  'constraint-failed',
  'constraint-unknown',
  'ceiling-exceeded',
)
/** Not the exhausted grant: calls at the same time, and honest retries, find that out too. */
const AFTER_END = reasons('grant-revoked', 'task-ended', 'task-expired', 'token-expired')
/** Says nothing about the agent: somebody else was broken, full or late. */
const NOT_ITS_FAULT = reasons(
  'keys-unavailable',
  'status-stale',
  'ledger-unavailable',
  'ledger-full',
  'audit-unavailable',
  'rate-limited',
  'overloaded',
  'internal',
  'policy-failed',
  'idempotency-running',
  'idempotency-unknown',
  'idempotency-done',
)

const NOTHING: readonly Counted[] = []
const VELOCITY: readonly Counted[] = ['velocity']
const REPLAYED: readonly Counted[] = ['proof-replayed']

/**
 * What an event counts towards. A refusal counts only where a fresh proof by the agent's own key came with it, so that
 * nobody brings an agent down with a copied token (rule 10). A replay is the exception that needs its own trigger: the
 * proof was the agent's once, and that it came twice is the finding.
 */
export function whatCounts({ type, reason = '', jkt }: AuditEvent): readonly Counted[] {
  switch (type) {
    case 'use.started':
      return VELOCITY
    case 'use.refused':
      if (reason === 'proof-replayed') return REPLAYED
      break
    case 'grant.refused':
    case 'task.refused':
      break
    default:
      return NOTHING
  }
  if (jkt === undefined || NOT_ITS_FAULT.has(reason)) return NOTHING
  const counted: Counted[] = ['refused-requests']
  if (OUT_OF_SCOPE.has(reason)) counted.push('out-of-scope')
  if (AFTER_END.has(reason)) counted.push('used-after-end')
  if (reason === 'limit-exceeded') counted.push('total-reached')
  return counted
}
