import type { GrantState, Swept, TaskState } from '@hallpass/core'
import type { Shard } from '../shard/shard.ts'
import type { Shards } from '../shard/shards.ts'
import { fieldsOf, listOf } from './answers.ts'
import { grantState } from './grant-state.ts'
import { finishIntents } from './revoke.ts'
import { taskState } from './task-state.ts'

/** How much one step finds of each kind, and how many steps one sweep takes in a slot. */
const STEP = 200
const MAX_STEPS = 50

interface Found {
  readonly tasks: TaskState[]
  readonly grants: GrantState[]
  readonly unknownUses: Swept['unknownUses'][number][]
}

/**
 * Finds what ran out, each once however many brokers sweep, and forgets it. Also looks whether the servers still live
 * the life this process knows and still evict nothing, and finishes wide revocations that were left in the middle.
 */
export async function sweep(shards: Shards): Promise<Swept> {
  await shards.refresh()
  await finishIntents(shards)
  const found: Found = { tasks: [], grants: [], unknownUses: [] }
  await Promise.all(shards.all.map((shard) => sweepShard(shards, shard, found)))
  return found
}

async function sweepShard(shards: Shards, shard: Shard, found: Found): Promise<void> {
  const keys = [shard.meta, shard.key('tasks'), shard.key('grants'), shard.key('uses'), shard.key('unknown')]
  for (let step = 0; step < MAX_STEPS; step += 1) {
    const [now, era, tasks, grants, uses, count] = listOf(await shard.run('sweep', keys, [String(STEP)]))
    if (Number(count) === 0) return
    const at = { now: Number(now), era: String(era), incarnation: shards.incarnation }
    const told = { tasks: [] as string[], grants: [] as string[], uses: listOf(uses).map(String) }
    const some: Found = { tasks: [], grants: [], unknownUses: [] }
    for (const [txn, fields] of listOf(tasks).map(listOf)) {
      told.tasks.push(String(txn))
      const state = taskState(fieldsOf(fields), at)
      if (state !== undefined) some.tasks.push(state)
    }
    for (const [jti, fields] of listOf(grants).map(listOf)) {
      told.grants.push(String(jti))
      const state = grantState(fieldsOf(fields), undefined)
      if (state !== undefined && state.usesLeft > 0) some.grants.push(state)
    }
    for (const use of told.uses) {
      const [event = '', jti = '', txn = ''] = use.split('\n')
      some.unknownUses.push({ event, jti, txn })
    }
    // Told only once it is forgotten: what another sweeper may find again is told by that one.
    await shard.run('swept', keys, [JSON.stringify(told)])
    found.tasks.push(...some.tasks)
    found.grants.push(...some.grants)
    found.unknownUses.push(...some.unknownUses)
  }
}
