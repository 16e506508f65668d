import type { Limit, RedeemAnswer } from '@hallpass/core'
import type { Shards } from '../shard/shards.ts'
import { refusalOf, textOf } from './answers.ts'

/** For how long a charge can be taken back beyond the lease of its use. */
const GRACE_MS = 120_000

/** One charge: whose, and by which name it is taken back. */
export interface AgentCharge {
  readonly clientId: string
  readonly id: string
}

/** Charges the counters of an agent in its own shard, all or nothing. Undefined when they took it. */
export async function chargeAgent(
  shards: Shards,
  { clientId, id }: AgentCharge,
  { cost, units = [] }: { readonly cost: string; readonly units?: readonly unknown[] },
): Promise<Extract<RedeemAnswer, { ok: false }> | undefined> {
  const shard = shards.of(clientId)
  const ttl = String(shards.settings.times.lease + GRACE_MS)
  const answer = textOf(
    await shard.run('chargeAgent', keysOf(shards, { clientId, id }), [cost, ttl, JSON.stringify(units)]),
  )
  return answer === 'Y' ? undefined : refusalOf(answer)
}

/** Takes a charge back, once. False when there was none any more. */
export async function refundAgent(shards: Shards, charge: AgentCharge): Promise<boolean> {
  return (await shards.of(charge.clientId).run('refundAgent', keysOf(shards, charge), [])) === 'Y'
}

/** One row of a charge. */
export const costRow = ({ id, max, window_seconds = 0 }: Limit, units: number): string =>
  `${id}\n${max}\n${units}\n${window_seconds}`

function keysOf(shards: Shards, { clientId, id }: AgentCharge): readonly string[] {
  const shard = shards.of(clientId)
  return [shard.meta, shard.key(`agent:${clientId}`), shard.key(`charge:${id}`)]
}
