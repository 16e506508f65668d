import { HallpassError } from '../fault.ts'
import type { StatusSeries } from '../ledger/revocation-entry.ts'
import { MAX_SKEW_SECONDS, MAX_TTL_SECONDS } from '../token/constants.ts'
import { StatusList } from './status-list.ts'
import { STATUS } from './status-list-encoding.ts'

export interface StatusListsOptions {
  readonly issuer: string
  /**
   * Which life of the ledger the lists speak for, asked each time: a store may begin another under a running broker. The
   * lists of another life are never found, and never served incomplete.
   */
  readonly incarnation: () => string
  /** NumericDate seconds; the ledger's clock. */
  readonly clock: () => number
  /** Statuses in one list, a multiple of 8 up to 2^20; default 2^17. All brokers of one ledger have the same. */
  readonly size?: number
}

export interface StatusReference {
  readonly uri: string
  readonly idx: number
}

/**
 * The revocation lists of one ledger (Token Status List), 1 bit per grant. Which list an index is in follows from the
 * index alone, so every broker of the ledger names, keeps and serves the same lists. Who has which index is the
 * ledger's matter (`reserveStatus`).
 */
export interface StatusLists {
  /**
   * The series whose indexes a grant that expires at `exp` (NumericDate) may have.
   * Throws HallpassError `configuration-invalid` for one beyond the longest life of a grant.
   */
  series(exp: number): StatusSeries
  /** Every series that a living grant may be in. */
  living(): readonly StatusSeries[]
  /** The place of one index of a series. */
  place(series: StatusSeries, index: number): StatusReference
  /** Where a list belongs; undefined when it is not, or no longer, one of these. */
  locate(uri: string): { readonly series: StatusSeries; readonly firstIndex: number } | undefined
  /** The lists that the first `taken` indexes of a series are in. */
  uris(series: StatusSeries, taken: number): readonly string[]
  /** Marks a grant INVALID, for good. False when there is no such place, or no more. */
  set(uri: string, idx: number, value: typeof STATUS.invalid): boolean
  /** Grows with every status that is set in the list. */
  changes(uri: string): number
  /** The `status_list` claim of a list, whether or not anything was set in it; undefined when `locate` finds nothing. */
  encode(uri: string): Promise<{ readonly bits: 1; readonly lst: string } | undefined>
}

/** How the uri of every status list begins that speaks for one life of an issuer's ledger, and of no other. */
export const statusListsOf = (issuer: string, incarnation: string): string =>
  `${issuer.replace(/\/+$/, '')}/status/${encodeURIComponent(incarnation)}-`

/** Grants that expire within the same stretch share lists, which go when the last of them has expired everywhere. */
const STRETCH_SECONDS = MAX_TTL_SECONDS

/**
 * Creates the lists. Throws HallpassError `configuration-invalid` for a size that is not a multiple of 8 up to 2^20.
 */
export function createStatusLists(options: StatusListsOptions): StatusLists {
  const { issuer, incarnation, clock, size = 2 ** 17 } = options
  if (!Number.isSafeInteger(size) || size < 8 || size > 2 ** 20 || size % 8 !== 0) {
    throw new HallpassError('configuration-invalid', 'createStatusLists({ size }) takes a multiple of 8 up to 2^20')
  }
  const baseNow = () => statusListsOf(issuer, incarnation())
  /** Lists with something set in them, by uri. */
  const lists = new Map<string, { readonly list: StatusList; readonly until: number }>()
  const blank = new StatusList(size)

  const seriesOf = (stretch: number): StatusSeries => ({
    name: stretch.toString(36),
    until: (stretch + 1) * STRETCH_SECONDS + MAX_SKEW_SECONDS,
  })

  const dropOver = (): number => {
    const now = clock()
    for (const [uri, { until }] of lists) if (until <= now) lists.delete(uri)
    return now
  }

  const locate = (uri: string) => {
    const base = baseNow()
    const [, name = '', number = ''] = (uri.startsWith(base) && PLACE.exec(uri.slice(base.length))) || []
    const stretch = Number.parseInt(name, 36)
    if (!Number.isSafeInteger(stretch)) return undefined
    const series = seriesOf(stretch)
    const now = clock()
    const isToCome = stretch * STRETCH_SECONDS > now + MAX_TTL_SECONDS + MAX_SKEW_SECONDS
    return series.until <= now || isToCome ? undefined : { series, firstIndex: Number(number) * size }
  }

  return {
    series(exp) {
      if (!(exp <= clock() + MAX_TTL_SECONDS + MAX_SKEW_SECONDS)) {
        throw new HallpassError('configuration-invalid', `A grant lives for ${MAX_TTL_SECONDS} s at most`)
      }
      return seriesOf(Math.floor(exp / STRETCH_SECONDS))
    },
    living() {
      const now = clock()
      const first = Math.floor((now - MAX_SKEW_SECONDS) / STRETCH_SECONDS)
      const last = Math.floor((now + MAX_TTL_SECONDS + MAX_SKEW_SECONDS) / STRETCH_SECONDS)
      return Array.from({ length: last - first + 1 }, (_, step) => seriesOf(first + step))
    },
    place: ({ name }, index) => ({ uri: `${baseNow()}${name}-${Math.floor(index / size)}`, idx: index % size }),
    locate,
    uris: ({ name }, taken) =>
      Array.from({ length: Math.ceil(taken / size) }, (_, list) => `${baseNow()}${name}-${list}`),
    set(uri, idx, value) {
      if (value !== STATUS.invalid || !Number.isSafeInteger(idx) || idx < 0 || idx >= size) return false
      const known = lists.get(uri)
      if (known !== undefined) {
        known.list.invalidate(idx)
        return true
      }
      dropOver()
      const place = locate(uri)
      if (place === undefined) return false
      const list = new StatusList(size)
      list.invalidate(idx)
      lists.set(uri, { list, until: place.series.until })
      return true
    },
    changes: (uri) => lists.get(uri)?.list.changes ?? 0,
    async encode(uri) {
      if (locate(uri) === undefined) return undefined
      return { bits: 1, lst: await (lists.get(uri)?.list ?? blank).encode() }
    },
  }
}

/** Canonical, so that one list has one name. */
const PLACE = /^(0|[1-9a-z][0-9a-z]{0,9})-(0|[1-9]\d{0,9})$/
