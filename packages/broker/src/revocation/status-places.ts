import { HallpassError, isPromise, randomBelow } from '@hallpass/core'
import type { Ledger, MaybePromise, StatusLists, StatusReference, StatusSeries } from '@hallpass/core'

/** Indexes taken from the ledger at a time: one more round trip in as many grants. */
const BLOCK = 1024

/** Indexes of one series that are this broker's to give out, in an order that tells nothing about that of issue. */
interface Block {
  readonly series: StatusSeries
  readonly indexes: Uint32Array
  next: number
}

/** Gives every grant a place in the status lists that no other grant has, of this broker or another one of its ledger. */
export interface StatusPlaces {
  /** For a grant that expires at `exp`, NumericDate. A promise only where the ledger has to be asked and takes time. */
  allocate(exp: number): MaybePromise<StatusReference>
}

/** Throws HallpassError `ledger-unavailable` where the ledger gives no indexes. */
export function createStatusPlaces(
  ledger: Pick<Ledger, 'reserveStatus' | 'incarnation'>,
  lists: Pick<StatusLists, 'series' | 'place'>,
): StatusPlaces {
  const blocks = new Map<string, Block>()
  let life = ledger.incarnation
  const taking = new Map<string, Promise<Block>>()

  const keep = (series: StatusSeries, first: number): Block => {
    if (!Number.isSafeInteger(first) || first < 0) {
      throw new HallpassError('ledger-unavailable', 'The ledger gave no status indexes; check its store')
    }
    // At most a handful of series: they are told apart by when their grants expire.
    for (const [name, { series: other }] of blocks) if (other.until < series.until - 3600) blocks.delete(name)
    const block = { series, indexes: shuffled(first), next: 0 }
    blocks.set(series.name, block)
    return block
  }

  const take = (series: StatusSeries): MaybePromise<Block> => {
    const asked = taking.get(series.name)
    if (asked !== undefined) return asked
    const before = life
    const first = ledger.reserveStatus(series, BLOCK)
    if (!isPromise(first)) return keep(series, first)
    const keepIfAlive = (index: number): Block => {
      if (before === ledger.incarnation) return keep(series, index)
      throw new HallpassError('ledger-unavailable', 'The ledger began another life; ask again')
    }
    const kept = first.then(keepIfAlive).finally(() => taking.delete(series.name))
    taking.set(series.name, kept)
    return kept
  }

  const from = (block: Block): MaybePromise<StatusReference> => {
    const index = block.indexes[block.next]
    if (index !== undefined) {
      block.next += 1
      return lists.place(block.series, index)
    }
    // Spent, maybe by others that waited for the same block.
    const next = take(block.series)
    return isPromise(next) ? next.then(from) : from(next)
  }

  return {
    allocate(exp) {
      // Another life counts its indexes anew: those of the one before belong to others there.
      if (life !== ledger.incarnation) {
        blocks.clear()
        life = ledger.incarnation
      }
      const series = lists.series(exp)
      const block = blocks.get(series.name) ?? take(series)
      return isPromise(block) ? block.then(from) : from(block)
    },
  }
}

function shuffled(first: number): Uint32Array {
  const indexes = Uint32Array.from({ length: BLOCK }, (_, step) => first + step)
  for (let left = BLOCK - 1; left > 0; left -= 1) {
    const other = randomBelow(left + 1)
    const index = indexes[left] ?? 0
    indexes[left] = indexes[other] ?? 0
    indexes[other] = index
  }
  return indexes
}
