import type { GrantRecord, Limit } from '@hallpass/core'
import { stopField } from './stop-names.ts'
import { msOf } from './times.ts'

/** What a counter adds up; two units under one name must never be summed. */
export const unitOf = ({ parameter, scale = 0, unit }: Limit): string =>
  JSON.stringify([parameter ?? null, scale, unit ?? null])

/** Fields and values of a grant's hash. What a redeem needs is read as it stands here, so it is worked out once. */
export function grantFields(record: GrantRecord): readonly string[] {
  const { audience, action, clientId, exp, jti, owner, policy, status, txn } = record
  const version = stopField({ kind: 'policy-version', version: policy.version })
  const fields: Record<string, string> = {
    record: JSON.stringify(record),
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

/** The cap of a grant that has one on its own calls and nothing else, as most have. */
export function plainCap(limits: readonly Limit[]): Limit | undefined {
  const [only] = limits
  return limits.length === 1 && only?.per === 'grant' && only.parameter === undefined ? only : undefined
}

/** Such a cap is two numbers; anything else is a list. */
function limitFields(limits: readonly Limit[]): Record<string, string> {
  const cap = plainCap(limits)
  if (cap !== undefined) return { calls: String(cap.max), used: '0', 'calls-id': cap.id }
  const list = limits.map(({ per, id, max, parameter, window_seconds }) => ({
    per,
    id,
    max,
    ...(parameter === undefined ? {} : { parameter }),
    ...(window_seconds === undefined ? {} : { window: window_seconds }),
  }))
  return { limits: JSON.stringify(list) }
}
