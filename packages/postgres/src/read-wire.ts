import type {
  GrantRecord,
  GrantState,
  RevocationEffect,
  RevocationEntry,
  RevocationRead,
  StandingTarget,
  TaskEnd,
  TaskRecord,
  TaskState,
} from '@hallpass/core'
import { toSeconds } from './wire-text.ts'

interface TaskJson {
  readonly record: string
  readonly issued: number
  readonly refusals: number
  readonly how: TaskEnd | null
  readonly at: number | null
  readonly reason: string | null
  readonly past: Readonly<Record<string, number>>
  readonly uses: readonly (readonly [string, number])[]
  readonly spent: readonly (readonly [string, number])[]
}

export function taskOf(json: unknown): TaskState {
  const { record, issued, refusals, how, at, reason, past, uses, spent } = json as TaskJson
  const sums = new Map(Object.entries(past))
  for (const [action, used] of uses) if (used > 0) sums.set(action, (sums.get(action) ?? 0) + used)
  return {
    ...(JSON.parse(record) as TaskRecord),
    ...(how !== null && { end: { how, at: toSeconds(at), ...(reason !== null && { reason }) } }),
    grantsIssued: issued,
    uses: Object.fromEntries(sums),
    spent: Object.fromEntries(spent),
    refusals,
  }
}

interface GrantJson {
  readonly record: string
  readonly left: number
  readonly at: number | null
  readonly reason: string | null
}

export function grantOf(json: unknown): GrantState {
  const { record, left, at, reason } = json as GrantJson
  return {
    ...(JSON.parse(record) as GrantRecord),
    ...(at !== null && { revoked: { at: toSeconds(at), reason: reason ?? '' } }),
    usesLeft: left,
  }
}

export function effectOf(json: unknown): RevocationEffect {
  const { tasks, grants } = json as { readonly tasks: readonly string[]; readonly grants: readonly string[] }
  return {
    tasks,
    grants: grants.map((record) => {
      const { jti, txn, status } = JSON.parse(record) as GrantRecord
      return { jti, txn, status }
    }),
  }
}

interface LineJson {
  readonly kind: RevocationEntry['kind']
  readonly at_us: number
  readonly reason: string
  readonly record: string | null
  readonly target: string | null
}

export function logOf(json: unknown, maxSkewSeconds: number): RevocationRead {
  if (json === undefined) return { state: 'gone' }
  const { lines, cursor, at, more } = json as { lines: LineJson[]; cursor: string; at: number; more: boolean }
  return { state: 'read', entries: lines.map((line) => entryOf(line, maxSkewSeconds)), cursor, more, at: toSeconds(at) }
}

function entryOf({ kind, at_us, reason, record, target }: LineJson, maxSkewSeconds: number): RevocationEntry {
  const at = toSeconds(at_us)
  if (kind === 'grant') {
    const { jti, txn, audience, status, exp } = JSON.parse(record ?? '{}') as GrantRecord
    return { kind, at, reason, jti, txn, audience, status, exp }
  }
  const about = JSON.parse(target ?? '{}') as StandingTarget
  if (kind === 'stop') return { kind, at, reason, target: about }
  return { kind, at, reason, target: about, cutOff: at + maxSkewSeconds }
}
