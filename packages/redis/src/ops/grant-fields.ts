import type { GrantRecord, Limit } from '@hallpass/core'
import { factsOf } from './facts.ts'
import { stopField } from './stop-names.ts'
import { msOf } from './times.ts'

/** What a counter adds up; two units under one name must never be summed. */
export const unitOf = ({ parameter, scale = 0, unit }: Limit): string =>
  JSON.stringify([parameter ?? null, scale, unit ?? null])

/** Fields and values of a grant's hash. What a redeem needs is read as it stands here, so it is worked out once. */
export function grantFields(record: GrantRecord): readonly string[] {
  const { audience, action, clientId, exp, jkt, jti, owner, policy, status, txn } = record
  const version = stopField({ kind: 'policy-version', version: policy.version })
  const fields: Record<string, string> = {
    record: JSON.stringify(record),
    facts: factsOf(record, jkt),
    counts: `calls:${action}`,
    exp: String(msOf(exp)),
    txn,
    agent: clientId,
    version,
    'stop-agent': stopField({ kind: 'agent', clientId }),
    'stop-owner': stopField({ kind: 'owner', owner }),
    'stop-version': version,
    'stop-action': stopField({ kind: 'action', audience, action }),
    'status-uri': status.uri,
    'status-idx': String(status.idx),
    line: JSON.stringify({ jti, txn, audience, status, exp }).slice(1, -1),
    ...limitFields(record.limits),
  }
  return Object.entries(fields).flat()
}

/** One cap on its own calls, as most grants have it, is two numbers; anything else is a list. */
function limitFields(limits: readonly Limit[]): Record<string, string> {
  const [only] = limits
  if (limits.length === 1 && only?.per === 'grant' && only.parameter === undefined) {
    return { calls: String(only.max), used: '0', 'calls-id': only.id }
  }
  const list = limits.map(({ per, id, max, parameter, window_seconds }) => ({
    per,
    id,
    max,
    ...(parameter === undefined ? {} : { parameter }),
    ...(window_seconds === undefined ? {} : { window: window_seconds }),
  }))
  return { limits: JSON.stringify(list) }
}
