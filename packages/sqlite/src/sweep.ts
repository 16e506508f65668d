import type { Swept } from '@hallpass/core'
import type { Write } from './life.ts'
import { toUs } from './life.ts'
import { forgetIfOrphaned } from './end-use.ts'
import { putOut, recordOf, takeOut } from './outbox.ts'
import { killOf, stateOfGrant, stateOfTask } from './read-state.ts'
import { forgetLines } from './revocation-log.ts'
import type { GrantRow, TaskRow, UseRow } from './rows.ts'
import { GRANTS } from './rows.ts'
import type { SqliteFile } from './sqlite-file.ts'

/** An ended task is known for at least this long. Then it is unknown, which is refused as well. */
const ENDED_TASK_SECONDS = 60

/** Of each kind in one go, so that nobody waits long for the file; the next sweep goes on. */
const MOST_AT_ONCE = 2000

const MARKS = [
  ['hallpass_proof', 'proof'],
  ['hallpass_mark', 'name'],
  ['hallpass_binding', 'assertion, jkt'],
] as const

/** Forgets what is over, and hands out what nobody said is on record. */
export function sweep(write: Write): Swept {
  expireTasks(write)
  lapseUses(write)
  dropGrants(write)
  dropTasks(write)
  dropMarks(write)
  forgetLines(write, MOST_AT_ONCE)
  return takeOut(write, MOST_AT_ONCE)
}

function expireTasks(write: Write): void {
  const { file, now } = write
  const over = file.all<TaskRow>(
    'SELECT * FROM hallpass_task WHERE end_how IS NULL AND deadline_us <= ? ORDER BY deadline_us LIMIT ?',
    now,
    MOST_AT_ONCE,
  )
  for (const { txn } of over) {
    file.run("UPDATE hallpass_task SET end_how = 'expired', end_at_us = deadline_us WHERE txn = ?", txn)
  }
  for (const row of over) putOut(write, 'task', { body: stateOfTask(file, row, now) })
}

/** A use without an outcome at the end of its lease stays charged, and nobody knows how it ended. */
function lapseUses(write: Write): void {
  const { file, now } = write
  const over = file.all<UseRow>(
    `SELECT * FROM hallpass_use WHERE state = 'running' AND lease_end_us <= ?
      ORDER BY lease_end_us LIMIT ?`,
    now,
    MOST_AT_ONCE,
  )
  for (const use of over) {
    const { seq } = use
    putOut(write, 'unknown', { body: recordOf(file, use) })
    file.run("UPDATE hallpass_use SET state = 'unknown' WHERE seq = ?", seq)
    forgetIfOrphaned(file, seq)
  }
}

function dropGrants(write: Write): void {
  const { file, now } = write
  const over = file.all<GrantRow>(`${GRANTS} WHERE g.exp_us <= ? ORDER BY g.exp_us LIMIT ?`, now, MOST_AT_ONCE)
  for (const { txn, jti, action, used, client_id, resource, jkt } of over) {
    if (used > 0) keepUses(file, { txn, action, used })
    const facts = JSON.stringify({ client_id, action, resource, jkt })
    file.run("UPDATE hallpass_use SET facts = ? WHERE jti = ? AND state = 'running'", facts, jti)
    // A running use is still waited for; one with a key answers retries until its task is forgotten.
    file.run("DELETE FROM hallpass_use WHERE jti = ? AND state <> 'running' AND idempotency_key IS NULL", jti)
    file.run("DELETE FROM hallpass_counter WHERE scope = 'grant' AND holder = ?", jti)
    file.run('DELETE FROM hallpass_grant WHERE jti = ?', jti)
  }
  const unspent = over.filter((row) => killOf(row) === undefined && row.calls_max > row.used)
  for (const row of unspent) putOut(write, 'grant', { body: stateOfGrant(row) })
}

/** The history of a task outlives its grants. */
function keepUses(file: SqliteFile, { txn, action, used }: { txn: string; action: string; used: number }): void {
  const past = file.get<{ past_uses: string | null }>(
    'SELECT past_uses FROM hallpass_task WHERE txn = ?',
    txn,
  )?.past_uses
  const uses = new Map(Object.entries(JSON.parse(past ?? '{}') as Record<string, number>))
  uses.set(action, (uses.get(action) ?? 0) + used)
  file.run('UPDATE hallpass_task SET past_uses = ? WHERE txn = ?', JSON.stringify(Object.fromEntries(uses)), txn)
}

function dropTasks({ file, now }: Write): void {
  const over = file.all<{ txn: string; client_id: string }>(
    `SELECT txn, client_id FROM hallpass_task t WHERE end_how IS NOT NULL AND end_at_us <= ?
      AND NOT EXISTS (SELECT 1 FROM hallpass_grant g WHERE g.txn = t.txn) ORDER BY end_at_us LIMIT ?`,
    now - toUs(ENDED_TASK_SECONDS),
    MOST_AT_ONCE,
  )
  for (const { txn } of over) {
    file.run("DELETE FROM hallpass_use WHERE txn = ? AND idempotency_key IS NOT NULL AND state <> 'running'", txn)
    file.run("DELETE FROM hallpass_counter WHERE scope = 'task' AND holder = ?", txn)
    file.run('DELETE FROM hallpass_task WHERE txn = ?', txn)
  }
  // An agent's counters last as long as their window, and as long as a task of it could say what they count.
  file.run(
    `DELETE FROM hallpass_counter WHERE scope = 'agent' AND (window_number + 1) * window_seconds * 1000000 <= ?
      AND NOT EXISTS (SELECT 1 FROM hallpass_task t WHERE t.client_id = holder)`,
    now,
  )
}

function dropMarks({ file, now }: Write): void {
  for (const [table, key] of MARKS) {
    file.run(
      `DELETE FROM ${table} WHERE (${key}) IN (SELECT ${key} FROM ${table} WHERE due_us <= ? LIMIT ?)`,
      now,
      10 * MOST_AT_ONCE,
    )
  }
  file.run('DELETE FROM hallpass_status WHERE until_us <= ?', now)
}
