import type { Ledger, MaybePromise, RevocationPage, StatusLists } from '@hallpass/core'

/** Lines read at a time: a message about all of them stays within its bound. */
export const PAGE_LINES = 500

/** Learns of every line of the log, in its order. */
export interface Follower {
  /** The tail waits for it: pages come one after the other. */
  page(page: RevocationPage): MaybePromise<void>
  /** The tail's place was lost, and it starts again: places given out before are void. */
  gone(): void
}

/** Follows the ledger's revocation log and keeps this broker's status lists by it, whichever broker killed. */
export interface RevocationTail {
  /** Where it is; undefined before the first read. */
  readonly cursor: string | undefined
  /** Ledger time up to which every acknowledged revocation is known here. */
  readonly at: number
  /** True when something may have happened since. */
  readonly isBehind: boolean
  /** Says that something happened. Reads at once where somebody follows, and never throws. */
  nudge(): void
  /** Resolves when whatever was acknowledged before this call is known here. Rejects when the ledger does not answer. */
  sync(): Promise<void>
  /** Runs while the tail stands still. */
  pause<T>(work: () => Promise<T>): Promise<T>
  follow(follower: Follower): () => void
  close(): void
}

export function createRevocationTail(ledger: Ledger, lists: Pick<StatusLists, 'set'>): RevocationTail {
  const followers = new Set<Follower>()
  let cursor: string | undefined
  let at = Number.NEGATIVE_INFINITY
  let isBehind = true
  let last: Promise<unknown> = Promise.resolve()
  let waiting: Promise<void> | undefined

  const pause = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work)
    last = turn.catch(() => undefined)
    return turn
  }

  const take = async (page: RevocationPage): Promise<void> => {
    for (const entry of page.entries) {
      if (entry.kind === 'grant') lists.set(entry.status.uri, entry.status.idx, 1)
    }
    for (const follower of followers) await follower.page(page)
    cursor = page.cursor
    if (!page.more) at = Math.max(at, page.at)
  }

  const startAgain = (): void => {
    if (cursor === undefined) throw new Error('The log has no start')
    cursor = undefined
    for (const follower of followers) follower.gone()
  }

  /** Every page that is there, one after the other. */
  const readAll = async (): Promise<void> => {
    for (let more = true; more;) {
      const read = await ledger.revocations({ ...(cursor !== undefined && { after: cursor }), limit: PAGE_LINES })
      if (read.state === 'gone') startAgain()
      else await take(read)
      more = read.state === 'gone' || read.more
    }
  }

  const readOn = async (): Promise<void> => {
    isBehind = false
    try {
      await readAll()
    } catch (fault) {
      isBehind = true
      throw fault
    }
  }

  const sync = (): Promise<void> => {
    // One that has not begun yet serves everybody who asks until then.
    waiting ??= pause(() => {
      waiting = undefined
      return readOn()
    })
    return waiting
  }

  const nudge = (): void => {
    isBehind = true
    // What fails now is tried again with the next heartbeat.
    if (followers.size > 0) sync().catch(() => undefined)
  }
  const unwatch = ledger.watch?.(nudge)

  return {
    get cursor() {
      return cursor
    },
    get at() {
      return at
    },
    get isBehind() {
      return isBehind
    },
    nudge,
    sync,
    pause,
    follow(follower) {
      followers.add(follower)
      return () => void followers.delete(follower)
    },
    close: () => unwatch?.(),
  }
}
