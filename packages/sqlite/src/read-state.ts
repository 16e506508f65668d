import type { GrantRecord, GrantState, JsonObject, TaskRecord, TaskState } from '@hallpass/core'
import { toSeconds } from './life.ts'
import type { GrantRow, TaskRow } from './rows.ts'
import { GRANTS } from './rows.ts'
import type { SqliteFile } from './sqlite-file.ts'

export function taskState(file: SqliteFile, txn: string, now: number): TaskState | undefined {
  const row = file.get<TaskRow>('SELECT * FROM hallpass_task WHERE txn = ?', txn)
  return row && stateOfTask(file, row, now)
}

export function stateOfTask(file: SqliteFile, row: TaskRow, now: number): TaskState {
  const counters = file.all<{ limit_id: string; spent: number }>(
    "SELECT limit_id, spent FROM hallpass_counter WHERE scope = 'task' AND holder = ?",
    row.txn,
  )
  const end = endOf(row, now)
  return {
    ...(JSON.parse(row.record) as TaskRecord),
    ...(end && { end }),
    grantsIssued: row.grants_issued,
    uses: usesOf(file, row),
    spent: Object.fromEntries(counters.map(({ limit_id, spent }) => [limit_id, spent])),
    refusals: row.refusals,
  }
}

/** A task past its deadline ended there, whether or not a sweep has seen it. */
function endOf({ end_how, end_at_us, end_reason, deadline_us }: TaskRow, now: number): TaskState['end'] {
  if (end_how === null) return now < deadline_us ? undefined : { how: 'expired', at: toSeconds(deadline_us) }
  const at = toSeconds(end_at_us ?? deadline_us)
  return end_reason === null ? { how: end_how, at } : { how: end_how, at, reason: end_reason }
}

/** By action: of the grants that are known, and of those that were. */
export function usesOf(file: SqliteFile, { txn, past_uses }: { txn: string; past_uses: string | null }) {
  const living = file.all<{ action: string; used: number }>(
    'SELECT action, sum(used) AS used FROM hallpass_grant WHERE txn = ? GROUP BY action ORDER BY min(rowid)',
    txn,
  )
  const uses = new Map(past_uses === null ? [] : Object.entries(JSON.parse(past_uses) as Record<string, number>))
  for (const { action, used } of living) if (used > 0) uses.set(action, (uses.get(action) ?? 0) + used)
  return Object.fromEntries(uses)
}

export function grantState(file: SqliteFile, jti: string): GrantState | undefined {
  const row = file.get<GrantRow>(`${GRANTS} WHERE g.jti = ?`, jti)
  return row && stateOfGrant(row)
}

export function stateOfGrant(row: GrantRow): GrantState {
  const revoked = killOf(row)
  return {
    ...(JSON.parse(row.record) as GrantRecord),
    ...(revoked && { revoked }),
    usesLeft: row.calls_max - row.used,
  }
}

/** What had expired when its task ended was not killed by it. */
export function killOf(row: GrantRow): GrantState['revoked'] {
  if (row.revoked_at_us !== null) return { at: toSeconds(row.revoked_at_us), reason: row.revoked_reason ?? '' }
  if (row.end_how === null || row.end_at_us === null || row.end_at_us >= row.exp_us) return undefined
  return { at: toSeconds(row.end_at_us), reason: row.end_reason ?? row.end_how }
}

const TABLES = { tasks: 'task', grants: 'grant', counters: 'counter', uses: 'use', proofs: 'proof', marks: 'mark' }

export function sizes(file: SqliteFile): JsonObject {
  const tables = Object.entries({ ...TABLES, bindings: 'binding', stops: 'stop' })
  const count = (table: string) => file.get<{ count: number }>(`SELECT count(*) AS count FROM hallpass_${table}`)?.count
  const running = file.get<{ count: number }>("SELECT count(*) AS count FROM hallpass_use WHERE state = 'running'")
  return {
    ...Object.fromEntries(tables.map(([name, table]) => [name, count(table) ?? 0])),
    running: running?.count ?? 0,
  }
}
