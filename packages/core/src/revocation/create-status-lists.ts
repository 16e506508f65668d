import { HallpassError } from '../fault.ts'
import { MAX_SKEW_SECONDS, MAX_TTL_SECONDS } from '../token/constants.ts'
import { randomBelow } from './random-below.ts'
import { StatusList } from './status-list.ts'
import { STATUS } from './status-list-encoding.ts'

export interface StatusListsOptions {
  readonly issuer: string
  /** Which life of the ledger the lists speak for: those of another are never found, and never served incomplete. */
  readonly incarnation: string
  /** NumericDate seconds; the ledger's clock. */
  readonly clock: () => number
  /** Statuses in one list, a multiple of 8 up to 2^20; default 2^17. Half of them are used. */
  readonly size?: number
  /** A random whole number from 0 to below its argument; for tests. */
  readonly randomInt?: (below: number) => number
}

export interface StatusReference {
  readonly uri: string
  readonly idx: number
}

/** The revocation lists of one broker (Token Status List), 1 bit per grant. */
export interface StatusLists {
  /**
   * A place that no other grant has or had, for a grant that expires at `exp`, NumericDate seconds.
   * Throws HallpassError `configuration-invalid` for one beyond the longest life of a grant.
   */
  allocate(exp: number): StatusReference
  /** Marks a grant INVALID, for good. False when there is no such place, or no more. */
  set(uri: string, idx: number, value: typeof STATUS.invalid): boolean
  /** The `status_list` claim of a list; undefined when it is not, or no longer, one of this broker's. */
  encode(uri: string): Promise<{ readonly bits: 1; readonly lst: string } | undefined>
  /** Lists that living grants refer to, for the aggregation endpoint. */
  uris(): readonly string[]
}

/** Grants that expire within the same stretch share lists, which go when the last of them has expired everywhere. */
const BUCKET_SECONDS = MAX_TTL_SECONDS

/**
 * Creates the lists. Throws HallpassError `configuration-invalid` for a size that is not a multiple of 8 up to 2^20.
 */
export function createStatusLists(options: StatusListsOptions): StatusLists {
  const { issuer, incarnation, clock, size = 2 ** 17, randomInt = randomBelow } = options
  if (!Number.isSafeInteger(size) || size < 8 || size > 2 ** 20 || size % 8 !== 0) {
    throw new HallpassError('configuration-invalid', 'createStatusLists({ size }) takes a multiple of 8 up to 2^20')
  }
  const base = `${issuer.replace(/\/+$/, '')}/status/${encodeURIComponent(incarnation)}`
  const buckets = new Map<number, StatusList[]>()
  const byUri = new Map<string, StatusList>()

  const dropExpired = () => {
    const now = clock()
    // At most a handful: one per stretch in which a living grant can expire.
    for (const [bucket, lists] of buckets) {
      if (now < (bucket + 1) * BUCKET_SECONDS + MAX_SKEW_SECONDS) continue
      buckets.delete(bucket)
      for (const { uri } of lists) byUri.delete(uri)
    }
    return now
  }

  const openList = (bucket: number): StatusList => {
    const lists = buckets.get(bucket) ?? []
    const last = lists.at(-1)
    if (last !== undefined && !last.isFull) return last
    const list = new StatusList(`${base}-${bucket.toString(36)}-${lists.length}`, size)
    buckets.set(bucket, [...lists, list])
    byUri.set(list.uri, list)
    return list
  }

  return {
    allocate(exp) {
      const now = dropExpired()
      if (!(exp <= now + MAX_TTL_SECONDS + MAX_SKEW_SECONDS)) {
        throw new HallpassError('configuration-invalid', `A grant lives for ${MAX_TTL_SECONDS} s at most`)
      }
      const list = openList(Math.floor(exp / BUCKET_SECONDS))
      return { uri: list.uri, idx: list.take(randomInt) }
    },
    set: (uri, idx, value) => value === STATUS.invalid && (byUri.get(uri)?.invalidate(idx) ?? false),
    async encode(uri) {
      dropExpired()
      const list = byUri.get(uri)
      return list && { bits: 1, lst: await list.encode() }
    },
    uris() {
      dropExpired()
      return [...byUri.keys()]
    },
  }
}
