import type {
  GrantRecord,
  GrantState,
  RevocationEffect,
  RevocationEntry,
  RevocationRead,
  StandingTarget,
  TaskEnd,
  TaskRecord,
  Swept,
  TaskState,
  UseRecord,
  UseState,
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

interface UseJson {
  readonly event: string
  readonly reservation: string
  readonly jti: string
  readonly txn: string
  readonly client: string | null
  readonly audience: string
  readonly action: string | null
  readonly resource: string | null
  readonly jkt: string | null
  readonly at: number
  readonly outbox: boolean
  readonly state: UseState['state']
}

export function useOf(json: unknown): UseRecord {
  const { event, reservation, jti, txn, client, audience, action, resource, jkt, at, outbox } = json as UseJson
  return {
    event,
    reservation,
    jti,
    txn,
    clientId: client ?? '',
    audience,
    action: action ?? '',
    resource: resource ?? undefined,
    jkt: jkt ?? undefined,
    at: toSeconds(at),
    outbox,
  }
}

export const useStateOf = (json: unknown): UseState => ({ ...useOf(json), state: (json as UseJson).state })

/** What a sweep took out of the outbox: number, kind and body of each. */
export function sweptOf(json: unknown): Swept {
  const found = json as readonly (readonly [seq: number, kind: string, body: unknown])[]
  const of = <T>(wanted: string, read: (body: unknown) => T): T[] =>
    found.filter(([, kind]) => kind === wanted).map(([, , body]) => read(body))
  return {
    tasks: of('task', taskOf),
    grants: of('grant', grantOf),
    unknownUses: of('unknown', useOf),
    releasedUses: of('released', useOf),
    receipt: JSON.stringify(found.map(([seq]) => seq)),
  }
}

/** The numbers in a receipt, none where it is not one. */
export function seqsIn(receipt: string): readonly number[] {
  try {
    const list: unknown = JSON.parse(receipt)
    return Array.isArray(list) ? list.filter((seq): seq is number => Number.isSafeInteger(seq)) : []
  } catch {
    return []
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
