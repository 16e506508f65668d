import type { RevocationEffect, RevocationTarget, StandingTarget } from '@hallpass/core'
import { randomId, unknownTarget } from '@hallpass/core'
import type { Shards } from '../shard/shards.ts'
import { fieldsOf, listOf } from './answers.ts'
import { kill, lineOf } from './kill.ts'
import { canStand, nameOf } from './stop-names.ts'

/** What is about to be revoked, kept until it is: whoever finds it later goes on where its process stopped. */
interface Intent {
  readonly call: string
  readonly target: StandingTarget
  readonly reason: string
  readonly at: number
}

/** Somebody else's intent is taken over when it is older than any living process would take. */
const ABANDONED_MS = 30_000

/**
 * Revokes. A wide revocation first stops its target in every slot, where from then on nothing is issued and nothing is
 * used, and then kills what it reaches; both by an intent that outlives this process. It is acknowledged when complete.
 */
export async function revoke(
  shards: Shards,
  target: RevocationTarget,
  { reason, dryRun }: { readonly reason: string; readonly dryRun: boolean },
): Promise<RevocationEffect> {
  const by = { dryRun, call: randomId(''), reason, how: 'revoked' as const }
  if (dryRun || !canStand(target)) return kill(shards, target, by)
  const name = nameOf(target)
  const { first } = shards
  const at = Date.now()
  const intent = JSON.stringify({ call: by.call, target, reason, at } satisfies Intent)
  const [kept] = listOf(await first.run('intend', [first.meta, first.key('intents')], [name, intent]))
  return carryOut(shards, JSON.parse(String(kept)) as Intent)
}

async function carryOut(shards: Shards, { call, target, reason }: Intent): Promise<RevocationEffect> {
  const name = nameOf(target)
  const line = lineOf(target, reason)
  await Promise.all(shards.all.map((shard) => shard.run('stop', [shard.meta, shard.key('log')], [name, line])))
  const effect = await kill(shards, target, { dryRun: false, call, reason, how: 'revoked' })
  const { first } = shards
  await first.run('fulfil', [first.meta, first.key('intents')], [name])
  return effect
}

/** Finishes the wide revocations whose process went away in the middle. */
export async function finishIntents(shards: Shards, wanted?: string): Promise<void> {
  const { first } = shards
  const [, kept] = listOf(await first.run('intents', [first.meta, first.key('intents')], []))
  for (const [name, text] of fieldsOf(kept)) {
    const intent = JSON.parse(text) as Intent
    if (name === wanted || Date.now() - intent.at > ABANDONED_MS) await carryOut(shards, intent)
  }
}

/** Lets a stopped target go on, once what its stop began is finished. False when nothing of the kind stands. */
export async function resume(shards: Shards, target: RevocationTarget, reason: string): Promise<boolean> {
  if (target.kind === 'grant' || target.kind === 'task') return false
  if (!canStand(target)) return unknownTarget(target)
  const name = nameOf(target)
  await finishIntents(shards, name)
  const line = lineOf(target, reason)
  const lifted = await Promise.all(
    shards.all.map((shard) => shard.run('lift', [shard.meta, shard.key('log')], [name, line])),
  )
  return lifted.includes('Y')
}
