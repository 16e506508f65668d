import type { GrantRecord, RevocationEffect, RevocationTarget, TaskEnd } from '@hallpass/core'
import { unknownTarget } from '@hallpass/core'
import type { Write } from './life.ts'
import type { SqliteValue } from './sqlite-handle.ts'
import { canStand, logKilled } from './revocation-log.ts'
import { stop } from './stops.ts'

interface Where {
  readonly sql: string
  readonly values: readonly SqliteValue[]
}

/** What a target reaches: tasks by columns of `t`, and grants outside of these tasks by columns of `g`. */
interface Reach {
  readonly tasks?: Where
  readonly grants?: Where
}

/** Kills a task and every grant in it. Undefined when it was not open. */
export function endTask(
  write: Write,
  txn: string,
  { how, reason, maxSkewSeconds }: { how: TaskEnd; reason: string | undefined; maxSkewSeconds: number },
): RevocationEffect | undefined {
  const { tasks, killed } = reached(write, { tasks: { sql: 't.txn = ?', values: [txn] } })
  if (tasks.length === 0) return undefined
  end(write, tasks, { how, reason })
  logKilled(write, killed, { reason: reason ?? how, maxSkewSeconds })
  return { tasks, grants: killed.map(effectOn) }
}

/** Stops issuing for the target, then kills what it reaches. A dry run only says what that would be. */
export function revoke(
  write: Write,
  target: RevocationTarget,
  { reason, dryRun, maxSkewSeconds }: { reason: string; dryRun: boolean; maxSkewSeconds: number },
): RevocationEffect {
  const { tasks, killed } = reached(write, reachOf(target))
  if (!dryRun) {
    if (canStand(target)) stop(write, target, reason)
    end(write, tasks, { how: 'revoked', reason })
    const ended = new Set(tasks)
    for (const { txn, jti } of killed) if (!ended.has(txn)) killGrant(write, jti, reason)
    logKilled(write, killed, { reason, maxSkewSeconds })
  }
  return { tasks, grants: killed.map(effectOn) }
}

function killGrant({ file, now }: Write, jti: string, reason: string): void {
  file.run('UPDATE hallpass_grant SET revoked_at_us = ?, revoked_reason = ? WHERE jti = ?', now, reason, jti)
}

function reachOf(target: RevocationTarget): Reach {
  switch (target.kind) {
    case 'grant':
      return { grants: { sql: 'g.jti = ?', values: [target.jti] } }
    case 'task':
      return { tasks: { sql: 't.txn = ?', values: [target.txn] } }
    case 'agent':
      return { tasks: { sql: 't.client_id = ?', values: [target.clientId] } }
    case 'owner':
      return { tasks: { sql: 't.owner = ?', values: [target.owner] } }
    case 'action':
      return { grants: { sql: 'g.audience = ? AND g.action = ?', values: [target.audience, target.action] } }
    case 'policy-version': {
      const values = [target.version]
      return { tasks: { sql: 't.policy_version = ?', values }, grants: { sql: 'g.policy_version = ?', values } }
    }
    case 'everything':
      return { tasks: { sql: '1', values: [] } }
    default:
      return unknownTarget(target)
  }
}

/** Leaves out what is over already. A task of another life of the file is over. */
function reached(
  { file, now, incarnation }: Write,
  { tasks, grants }: Reach,
): { readonly tasks: readonly string[]; readonly killed: readonly GrantRecord[] } {
  const open = 't.end_how IS NULL AND t.deadline_us > ? AND t.incarnation = ?'
  const ended =
    tasks === undefined
      ? []
      : file.all<{ txn: string }>(
          `SELECT t.txn FROM hallpass_task t WHERE ${open} AND ${tasks.sql} ORDER BY t.rowid`,
          now,
          incarnation,
          ...tasks.values,
        )
  const wheres = [tasks, grants].filter((where) => where !== undefined)
  const died = file.all<{ record: string }>(
    `SELECT g.record FROM hallpass_grant g JOIN hallpass_task t ON t.txn = g.txn
      WHERE ${open} AND g.revoked_at_us IS NULL AND g.exp_us > ? AND (${wheres.map(({ sql }) => sql).join(' OR ')})
      ORDER BY g.rowid`,
    now,
    incarnation,
    now,
    ...wheres.flatMap(({ values }) => values),
  )
  return { tasks: ended.map(({ txn }) => txn), killed: died.map(({ record }) => JSON.parse(record) as GrantRecord) }
}

function end(
  { file, now }: Write,
  tasks: readonly string[],
  { how, reason }: { readonly how: TaskEnd; readonly reason: string | undefined },
): void {
  for (const txn of tasks) {
    file.run(
      'UPDATE hallpass_task SET end_how = ?, end_at_us = ?, end_reason = ? WHERE txn = ?',
      how,
      now,
      reason ?? null,
      txn,
    )
  }
}

const effectOn = ({ jti, txn, status }: GrantRecord) => ({ jti, txn, status })
