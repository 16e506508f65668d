import type { GrantRecord, RefusalReason, Refused, TaskRecord } from '@hallpass/core'
import { refuse, targetName, whyNotCounted } from '@hallpass/core'
import { isKeepable, keepableJson, toUs, wholeAmounts } from './wire-text.ts'

/** What the function is given, as JSON, and the record as it is kept. */
export interface IssueWire {
  readonly facts: string
  readonly record: string
}

type Issue = { readonly clientId: string; readonly owner: string; readonly policy: { readonly version: string } }

/** What stops an issue, in the order in which it is looked for. */
const stopsOf = ({ clientId, owner, policy }: Issue, api?: { readonly audience: string; readonly action: string }) => [
  [targetName({ kind: 'everything' }), 'stopped'],
  [targetName({ kind: 'agent', clientId }), 'agent-revoked'],
  [targetName({ kind: 'owner', owner }), 'agent-revoked'],
  [targetName({ kind: 'policy-version', version: policy.version }), 'stopped'],
  ...(api === undefined ? [] : [[targetName({ kind: 'action', ...api }), 'stopped']]),
]

export function taskWire(
  record: TaskRecord,
  { maxOpenTasks, maxTaskSeconds }: { readonly maxOpenTasks: number; readonly maxTaskSeconds: number },
): IssueWire | Refused<RefusalReason> {
  const { txn, clientId, owner, policy, deadline, incarnation } = record
  if (Number.isNaN(deadline)) return refuse('task-expired')
  if (!Number.isSafeInteger(toUs(deadline))) return refuse('lifetime-exceeded')
  if (!(maxOpenTasks > 0)) return refuse('too-many-open-tasks')
  const facts = keepableJson({
    txn,
    client_id: clientId,
    owner,
    policy_version: policy.version,
    deadline: toUs(deadline),
    incarnation,
    max_open: Math.min(maxOpenTasks, Number.MAX_SAFE_INTEGER),
    max_task: toUs(maxTaskSeconds),
    stops: stopsOf(record),
  })
  return facts === undefined ? refuse('request-invalid') : { facts, record: JSON.stringify(record) }
}

export function grantWire(record: GrantRecord): IssueWire | Refused<RefusalReason> {
  const { iat, exp, limits, chargeAtIssue, audience, action, clientId, policy, ...rest } = record
  if (Number.isNaN(exp)) return refuse('token-expired')
  if (Number.isNaN(iat)) return refuse('not-yet-valid')
  if (!Number.isSafeInteger(toUs(exp)) || !Number.isSafeInteger(toUs(iat))) return refuse('lifetime-exceeded')
  const problem = whyNotCounted(record)
  if (problem !== undefined) return problem
  if (!limits.every(({ id }) => isKeepable(id))) return refuse('details-invalid')
  const ownCalls = limits.filter(({ per, parameter }) => per === 'grant' && parameter === undefined)
  const tightest = ownCalls.reduce((a, b) => (b.max < a.max ? b : a))
  const facts = keepableJson({
    jti: rest.jti,
    issuer: rest.issuer,
    txn: rest.txn,
    client_id: clientId,
    owner: rest.owner,
    audience,
    action,
    resource: rest.resource,
    policy_version: policy.version,
    iat: toUs(iat),
    exp: toUs(exp),
    jkt: rest.jkt,
    incarnation: rest.incarnation,
    limits,
    is_plain: ownCalls.length === limits.length,
    calls_max: tightest.max,
    calls_limit: tightest.id,
    issue_limits: chargeAtIssue?.limits ?? [],
    issue_amounts: wholeAmounts(chargeAtIssue?.amounts ?? {}),
    issue_uses: chargeAtIssue?.uses ?? 0,
    stops: stopsOf(record, { audience, action }),
  })
  return facts === undefined ? refuse('request-invalid') : { facts, record: JSON.stringify(record) }
}
