import type { GrantRecord, GrantState } from '@hallpass/core'
import { secondsOf } from './times.ts'

/** How a registered grant stands, in a task that ended or did not. */
export function grantState(
  fields: ReadonlyMap<string, string>,
  task: { readonly end?: { readonly how: string; readonly at: number; readonly reason?: string } } | undefined,
): GrantState | undefined {
  const text = fields.get('record')
  if (text === undefined) return undefined
  const record = JSON.parse(text) as GrantRecord
  const revoked = revokedBy(fields, record, task?.end)
  return { ...record, ...(revoked && { revoked }), usesLeft: usesLeft(fields, record) }
}

function revokedBy(
  fields: ReadonlyMap<string, string>,
  { exp }: GrantRecord,
  end: { readonly how: string; readonly at: number; readonly reason?: string } | undefined,
): GrantState['revoked'] {
  const reason = fields.get('revoked')
  if (reason !== undefined) return { at: secondsOf(fields.get('revoked-at')), reason }
  // What had expired when its task ended was not killed by it.
  return end !== undefined && end.at < exp ? { at: end.at, reason: end.reason ?? end.how } : undefined
}

/** Calls of its own that are left. */
function usesLeft(fields: ReadonlyMap<string, string>, { limits }: GrantRecord): number {
  const calls = fields.get('calls')
  if (calls !== undefined) return Number(calls) - Number(fields.get('used'))
  const own = limits.filter(({ per, parameter }) => per === 'grant' && parameter === undefined)
  return Math.min(...own.map(({ id, max }) => max - Number(fields.get(`spent:${id}`) ?? 0)))
}
