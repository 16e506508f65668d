import type { GrantRecord, UseRecord, UseState } from '@hallpass/core'
import type { Shard } from '../shard/shard.ts'
import type { Shards } from '../shard/shards.ts'
import { textOf } from './answers.ts'
import { parseReservation, reservationText } from './reservation.ts'

const STATES = { R: 'running', D: 'done', B: 'released', U: 'unknown' } as const

/** What a script says of a use, a line each; undefined for what it does not know, or what an older version wrote. */
export function useOf(
  text: string,
  { shard, jti: known }: { readonly shard: Shard; readonly jti?: string },
): UseState | undefined {
  const [event = '', said = '', txn = '', attempt = '', letter, at, secret, kept = '', record = ''] = text.split('\n')
  if (secret === undefined || letter === undefined || !(letter in STATES) || record === '') return undefined
  const jti = known ?? said
  const { clientId, audience, action, resource, jkt } = JSON.parse(record) as GrantRecord
  return {
    event,
    reservation: reservationText({ shard: shard.index, secret, jti, txn, attempt }),
    jti,
    txn,
    clientId,
    audience,
    action,
    resource: kept.length > 1 ? kept.slice(1) : resource,
    jkt,
    at: Number(at) / 1000,
    outbox: kept.startsWith('O'),
    state: STATES[letter as keyof typeof STATES],
  }
}

export async function readUse(shards: Shards, reservation: string): Promise<UseState | undefined> {
  const found = parseReservation(reservation)
  const shard = found && shards.at(found.shard)
  if (found === undefined || shard === undefined) return undefined
  const { jti, attempt, secret } = found
  const answer = textOf(await shard.run('readUse', [shard.meta, shard.key(`grant:${jti}`)], [attempt, secret]))
  return useOf(answer, { shard, jti })
}

/** Without its state: swept uses are told by it. */
export function recordOf({ state: _state, ...record }: UseState): UseRecord {
  return record
}
