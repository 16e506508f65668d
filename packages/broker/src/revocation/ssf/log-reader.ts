import type { Ledger, RevocationEntry } from '@hallpass/core'

/** Reads the log for one receiver: the log is the queue, and a place in it is all that is kept. */
export interface LogReader {
  /** Lines from the receiver's place on, at most `limit`; the same ones again until they are `taken`. */
  next(limit: number): Promise<{ readonly entries: readonly RevocationEntry[]; readonly more: boolean }>
  /** What `next` gave last has arrived. */
  taken(): void
}

/** Starts at the start of the log, with all that is dead and not yet expired. */
export function createLogReader(ledger: Pick<Ledger, 'revocations'>): LogReader {
  let place: string | undefined
  let following: string | undefined
  return {
    async next(limit) {
      const read = await ledger.revocations({ ...(place !== undefined && { after: place }), limit })
      if (read.state === 'read') {
        following = read.cursor
        return read
      }
      if (place === undefined) throw new Error('The log has no start')
      place = undefined
      return this.next(limit)
    },
    taken() {
      place = following ?? place
    },
  }
}
