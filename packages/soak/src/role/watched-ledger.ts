import type { UseLedger } from '@hallpass/core'
import type { RecordFile } from '../world/record-file.ts'
import type { UseRecord } from '../world/records.ts'
import type { Death } from './messages.ts'

export interface WatchedLedger extends UseLedger {
  /** When the redeem of this use left for the ledger. */
  askedAt(event: string): number
  /** The next time it comes there, this process kills itself; undefined = nowhere. */
  dieAt(where: Death | undefined): void
  /** Kills this process when it was told to die there. */
  reached(where: Death): void
}

/** Redeems that never reach a handler are forgotten, oldest first. */
const MAX_OPEN = 20_000

/** Notes what the ledger grants before anybody is told, and knows where to die. */
export function watchedLedger(ledger: UseLedger, uses: RecordFile<UseRecord>): WatchedLedger {
  const asked = new Map<string, number>()
  const heldBy = new Map<string, { readonly event: string; readonly jti: string }>()
  let death: Death | undefined
  const reached = (where: Death): void => {
    if (death === where) process.kill(process.pid, 'SIGKILL')
  }
  return {
    exactFor: ledger.exactFor,
    async redeem(request) {
      const { event, jti, txn } = request
      const left = Date.now()
      const answer = await ledger.redeem(request)
      if (!answer.ok || answer.state !== 'first') return answer
      uses.add({ kind: 'granted', event, jti, txn, asked: left, at: Date.now() })
      reached('after-redeem')
      const [oldest] = asked.size >= MAX_OPEN ? asked.keys() : []
      if (oldest !== undefined) asked.delete(oldest)
      const [first] = heldBy.size >= MAX_OPEN ? heldBy.keys() : []
      if (first !== undefined) heldBy.delete(first)
      asked.set(event, left)
      heldBy.set(answer.reservation, { event, jti })
      return answer
    },
    async settle(reservation, outcome) {
      reached('before-settle')
      heldBy.delete(reservation)
      await ledger.settle(reservation, outcome)
    },
    async giveBack(reservation, reason) {
      const use = heldBy.get(reservation)
      if (use === undefined) throw new Error('A use is given back that nobody holds')
      heldBy.delete(reservation)
      uses.add({ kind: 'giving-back', ...use, at: Date.now() })
      let isReleased: boolean
      try {
        isReleased = await ledger.giveBack(reservation, reason)
      } catch (error) {
        uses.add({ kind: 'gave-back', ...use, answer: 'unclear', at: Date.now() })
        throw error
      }
      reached('giving-back')
      uses.add({ kind: 'gave-back', ...use, answer: isReleased ? 'released' : 'kept', at: Date.now() })
      return isReleased
    },
    askedAt(event) {
      const at = asked.get(event) ?? 0
      asked.delete(event)
      return at
    },
    dieAt(where) {
      death = where
    },
    reached,
  }
}
