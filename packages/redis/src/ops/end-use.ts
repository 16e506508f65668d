import type { Outcome } from '@hallpass/core'
import { MAX_KEPT_BODY_CHARS } from '@hallpass/core'
import type { Shards } from '../shard/shards.ts'
import { textOf } from './answers.ts'
import { refundAgent } from './charge-agent.ts'
import { parseReservation } from './reservation.ts'

/** reserved -> committed, with its outcome. Nothing happens where the use is over or unknown. */
export async function settle(shards: Shards, reservation: string, outcome: Outcome): Promise<void> {
  const use = useOf(shards, reservation)
  if (use === undefined) return
  const { status, contentType, body } = outcome
  const bare = contentType === undefined ? { status } : { status, contentType }
  const whole = body === undefined || body.length > MAX_KEPT_BODY_CHARS ? bare : { ...bare, body }
  await use.shard.run('settle', use.keys, [...use.args, JSON.stringify(bare), JSON.stringify(whole)])
}

/** reserved -> released: every limit it was charged to gets it back, once. False when it is too late for that. */
export async function giveBack(shards: Shards, reservation: string, call: string): Promise<boolean> {
  const use = useOf(shards, reservation)
  if (use === undefined) return false
  const answer = textOf(await use.shard.run('giveBack', [...use.keys, use.task], [...use.args, call]))
  if (answer.startsWith('Y ')) {
    // The use is back already. What the agent does not get back is lost with its window, never doubled.
    await refundAgent(shards, { clientId: answer.slice(2), id: use.secret }).catch(() => false)
  }
  return answer.startsWith('Y')
}

function useOf(shards: Shards, text: string) {
  const found = parseReservation(text)
  const shard = found && shards.at(found.shard)
  if (found === undefined || shard === undefined) return undefined
  const { secret, jti, txn, attempt } = found
  return {
    shard,
    secret,
    keys: [shard.meta, shard.key(`grant:${jti}`), shard.key(`keys:${txn}`)],
    task: shard.key(`task:${txn}`),
    args: [attempt, secret],
  }
}
