import { setTimeout as delay } from 'node:timers/promises'
import type { RevocationTarget } from '@hallpass/core'
import type { Order, Report } from '../role/messages.ts'
import type { RecordFile } from '../world/record-file.ts'
import type { EndRecord } from '../world/records.ts'
import type { Random } from './random.ts'

export interface LiveGrant {
  readonly jti: string
  readonly txn: string
  readonly agent: string
}

export interface Revoker {
  hear(report: Report): void
  /** Grants that came lately, the newest last. */
  readonly live: readonly LiveGrant[]
  /** Revokes something of the newest grants; true when it was acknowledged. */
  revoke(kind: EndRecord['target']['kind']): Promise<boolean>
}

const REMEMBERED = 24
const ACKNOWLEDGED_MS = 8000
const RESUME_TRIES = 20

/** Revokes at one broker or the other, and notes when that was acknowledged. */
export function createRevoker(
  brokers: readonly { say(order: Order): void }[],
  ends: RecordFile<EndRecord>,
  random: Random,
): Revoker {
  const live: LiveGrant[] = []
  const waiting = new Map<number, (at: number) => void>()
  let id = 0

  async function order(kind: 'revoke' | 'resume', target: RevocationTarget): Promise<number | undefined> {
    const mine = (id += 1)
    const answer = new Promise<number>((resolve) => waiting.set(mine, resolve))
    random.pick(brokers)?.say({ kind, id: mine, target })
    const at = await Promise.race([answer, delay(ACKNOWLEDGED_MS, undefined, { ref: false })])
    waiting.delete(mine)
    return at
  }

  function targetOf(kind: EndRecord['target']['kind']): EndRecord['target'] | undefined {
    const grant = random.pick(live.slice(-6))
    if (grant === undefined) return undefined
    if (kind === 'grant') return { kind, jti: grant.jti }
    return kind === 'task' ? { kind, txn: grant.txn } : { kind, clientId: grant.agent }
  }

  return {
    live,
    hear(report) {
      if (report.kind === 'acknowledged') waiting.get(report.id)?.(report.at)
      if (report.kind !== 'live') return
      live.push(report)
      if (live.length > REMEMBERED) live.shift()
    },
    async revoke(kind) {
      const target = targetOf(kind)
      if (target === undefined) return false
      const asked = Date.now()
      const at = await order('revoke', target)
      const end = { kind: 'end', target, asked } as const
      if (kind !== 'agent') {
        if (at !== undefined) ends.add({ ...end, at })
        return at !== undefined
      }
      await delay(random.whole(500, 1500))
      const resumed = Date.now()
      // A stop that was not acknowledged may stand all the same.
      for (let tries = 0; tries < RESUME_TRIES && (await order('resume', target)) === undefined; tries++);
      if (at !== undefined) ends.add({ ...end, at, resumed })
      return at !== undefined
    },
  }
}
