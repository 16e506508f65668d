import type { GrantState, Swept, TaskState, UseRecord } from '@hallpass/core'
import type { Shard } from '../shard/shard.ts'
import type { Shards } from '../shard/shards.ts'
import { fieldsOf, listOf } from './answers.ts'
import { grantState } from './grant-state.ts'
import { finishIntents } from './revoke.ts'
import { taskState } from './task-state.ts'
import { recordOf, useOf } from './use-record.ts'

/** How much one step finds of each kind, and how many steps one sweep takes in a slot. */
const STEP = 200
const MAX_STEPS = 50

interface Found {
  readonly tasks: TaskState[]
  readonly grants: GrantState[]
  readonly unknownUses: UseRecord[]
  readonly releasedUses: UseRecord[]
  readonly claims: Claim[]
}

/** What one step found in a slot. */
interface Claim {
  readonly shard: number
  readonly tasks: string[]
  readonly grants: string[]
  readonly uses: string[]
}

/**
 * Finds what ran out, for one of those that sweep, who has it until it is acknowledged or the claim is over. Also looks
 * whether the servers still live the life this process knows and still evict nothing, and finishes wide revocations that
 * were left in the middle.
 */
export async function sweep(shards: Shards): Promise<Swept> {
  await shards.refresh()
  await finishIntents(shards)
  const found: Found = { tasks: [], grants: [], unknownUses: [], releasedUses: [], claims: [] }
  await Promise.all(shards.all.map((shard) => sweepShard(shards, shard, found)))
  const { claims, ...rest } = found
  return { ...rest, receipt: JSON.stringify(claims) }
}

const keysOf = (shard: Shard): string[] => [
  shard.meta,
  shard.key('tasks'),
  shard.key('grants'),
  shard.key('uses'),
  shard.key('unknown'),
]

async function sweepShard(shards: Shards, shard: Shard, found: Found): Promise<void> {
  for (let step = 0; step < MAX_STEPS; step += 1) {
    const [now, era, tasks, grants, uses, count] = listOf(await shard.run('sweep', keysOf(shard), [String(STEP)]))
    if (Number(count) === 0) return
    const at = { now: Number(now), era: String(era), incarnation: shards.incarnation }
    const claim: Claim = { shard: shard.index, tasks: [], grants: [], uses: listOf(uses).map(String) }
    for (const [txn, fields] of listOf(tasks).map(listOf)) {
      claim.tasks.push(String(txn))
      const state = taskState(fieldsOf(fields), at)
      if (state !== undefined) found.tasks.push(state)
    }
    for (const [jti, fields] of listOf(grants).map(listOf)) {
      claim.grants.push(String(jti))
      const state = grantState(fieldsOf(fields), undefined)
      if (state !== undefined && state.usesLeft > 0) found.grants.push(state)
    }
    for (const text of claim.uses) {
      const use = useOf(text, { shard })
      if (use?.state === 'released') found.releasedUses.push(recordOf(use))
      else if (use !== undefined) found.unknownUses.push(recordOf(use))
    }
    found.claims.push(claim)
  }
}

/** What was found is on record: it is forgotten, or over. */
export async function acknowledge(shards: Shards, receipt: string): Promise<void> {
  await Promise.all(
    claimsIn(receipt).map(async ({ shard: index, ...told }) => {
      const shard = shards.at(index)
      if (shard !== undefined) await shard.run('swept', keysOf(shard), [JSON.stringify(told)])
    }),
  )
}

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((each) => typeof each === 'string')

function claimsIn(receipt: string): readonly Claim[] {
  try {
    const list: unknown = JSON.parse(receipt)
    if (!Array.isArray(list)) return []
    return (list as (Partial<Claim> | null)[]).flatMap((each) => {
      const { shard, tasks, grants, uses } = each ?? {}
      if (typeof shard !== 'number' || !isTexts(tasks) || !isTexts(grants) || !isTexts(uses)) return []
      return [{ shard, tasks, grants, uses }]
    })
  } catch {
    return []
  }
}
