import type { RefusalReason, Result, TaskRecord, TaskState } from '@hallpass/core'
import { ok, randomId, refuse } from '@hallpass/core'
import type { Shards } from '../shard/shards.ts'
import { fieldsOf, listOf, refusalOf, textOf } from './answers.ts'
import { stopField, stopsOf } from './stop-names.ts'
import { taskState } from './task-state.ts'
import { msOf } from './times.ts'

/**
 * Opens a task, or says why not. The agent's places are in the agent's slot, so one is taken first; what is lost in
 * between is a place until the deadline, never a task too many.
 */
export async function openTask(
  shards: Shards,
  record: TaskRecord,
  { maxOpenTasks }: { readonly maxOpenTasks: number },
): Promise<Result<TaskRecord, RefusalReason>> {
  const { txn, clientId, owner, policy } = record
  if (record.incarnation !== shards.incarnation) return refuse('incarnation-mismatch')
  if (/[\r\n]/.test(txn)) return refuse('request-invalid', 'A task id is one line')
  const deadline = String(msOf(record.deadline))
  const stops = JSON.stringify(stopsOf({ clientId, owner, version: policy.version }))
  const call = randomId('')
  const place = `${txn}\n${call}`
  const home = shards.of(clientId)
  const places = [home.meta, home.key(`open:${clientId}`)]
  const placed = textOf(await home.run('takePlace', places, [place, String(maxOpenTasks), deadline, stops]))
  if (placed !== 'Y') return refusalOf(placed)

  const shard = shards.of(txn)
  const kept = Object.freeze({ ...record })
  const keys = [shard.meta, shard.key(`task:${txn}`), shard.key('tasks')]
  const args = [
    JSON.stringify(kept),
    deadline,
    call,
    place,
    stops,
    clientId,
    owner,
    stopField({ kind: 'policy-version', version: policy.version }),
    txn,
  ]
  const opened = textOf(await shard.run('openTask', keys, args))
  if (opened === 'Y') return ok(kept)
  await home.run('leavePlace', places, [place])
  return refusalOf(opened)
}

export async function readTask(shards: Shards, txn: string): Promise<TaskState | undefined> {
  const shard = shards.of(txn)
  const [now, era, fields] = listOf(await shard.run('readTask', [shard.meta, shard.key(`task:${txn}`)], []))
  return taskState(fieldsOf(fields), { now: Number(now), era: String(era), incarnation: shards.incarnation })
}

export async function noteRefusal(shards: Shards, txn: string): Promise<void> {
  const shard = shards.of(txn)
  await shard.run('noteRefusal', [shard.meta, shard.key(`task:${txn}`)], [])
}
