import type { MaybePromise, RefusalReason, Refused, StatusBits } from '@hallpass/core'
import { TYP, checkStatusListClaims, decodeStatusList, preflight, refuse, verifySignature } from '@hallpass/core'
import { LRUCache } from 'lru-cache'
import { readLimited } from '../body/read-limited.ts'
import type { Fetch } from '../keys/remote-key-source.ts'
import type { IssuerKeys } from '../keys/issuer-keys.ts'

export interface StatusListRules {
  readonly issuer: string
  readonly keys: IssuerKeys
  readonly algorithms: readonly string[]
  /** Bound, from the signed time of a list, on how late a revocation arrives. */
  readonly maxStalenessSeconds: number
  readonly skewSeconds: number
  readonly fetch: Fetch
}

/** A list whose signature, times and shape were checked. */
export interface StatusList {
  readonly iat: number
  readonly bits: StatusBits
  readonly bytes: Uint8Array
  readonly refreshAt: number
  readonly usableUntil: number
}

/** The issuer's signed status lists, fetched as they are needed (Token Status List section 8). */
export interface StatusLists {
  /** A list fresh enough to rely on, or why there is none. */
  get(uri: string, now: number): MaybePromise<StatusList | Refused<RefusalReason>>
  /** Seconds since the signed time of the list that was asked for last; not a number before there is one. */
  staleness(now: number): number
}

const TIMEOUT_MS = 3000
const MAX_TOKEN_BYTES = 1_572_864
const MAX_LISTS = 256
const RETRY_SECONDS = 1
const MEDIA_TYPE = 'application/statuslist+jwt'
const STALE: Refused<RefusalReason> = refuse('status-stale', 'No status list is fresh enough')
const ELSEWHERE: Refused<RefusalReason> = refuse('token-claims', "The status list is not on the issuer's origin")

interface Slot {
  list: StatusList | undefined
  loading: Promise<void> | undefined
  retryAt: number
}

/**
 * Creates the lists of one issuer. One fetch per list at a time, none from another origin than the issuer's, no
 * redirect; a list older than the last one accepted is refused, and a failed fetch leaves the last one until it is too old.
 */
export function createStatusLists(rules: StatusListRules): StatusLists {
  const origin = new URL(rules.issuer).origin
  const slots = new LRUCache<string, Slot>({ max: MAX_LISTS })
  // A clock that was set back behind a list would keep it for as long as the step: such a list tells no age.
  const isFresh = ({ iat, usableUntil }: StatusList, now: number): boolean =>
    now < usableUntil && iat <= now + rules.skewSeconds

  const refresh = async (uri: string, slot: Slot, now: number): Promise<void> => {
    slot.loading ??= load(uri, { slot, now, rules })
      .catch(() => undefined)
      .then((list) => {
        if (list === undefined) slot.retryAt = now + RETRY_SECONDS
        else slot.list = list
      })
      .finally(() => (slot.loading = undefined))
    return slot.loading
  }

  return {
    staleness(now) {
      const [newest] = slots.values()
      return now - (newest?.list?.iat ?? Number.NaN)
    },
    get(uri, now) {
      let slot = slots.get(uri)
      if (slot === undefined) {
        if (!URL.canParse(uri) || new URL(uri).origin !== origin) return ELSEWHERE
        slot = { list: undefined, loading: undefined, retryAt: Number.NEGATIVE_INFINITY }
        slots.set(uri, slot)
      }
      const { list } = slot
      if (list !== undefined && isFresh(list, now)) {
        if (now >= list.refreshAt && now >= slot.retryAt) void refresh(uri, slot, now)
        return list
      }
      if (now < slot.retryAt && slot.loading === undefined) return STALE
      const waiting = slot
      return refresh(uri, slot, now).then(() => {
        const fresh = waiting.list
        return fresh !== undefined && isFresh(fresh, now) ? fresh : STALE
      })
    },
  }
}

async function load(
  uri: string,
  { slot, now, rules }: { slot: Slot; now: number; rules: StatusListRules },
): Promise<StatusList | undefined> {
  const { issuer, keys, algorithms, maxStalenessSeconds, skewSeconds } = rules
  const response = await rules.fetch(uri, {
    headers: { accept: MEDIA_TYPE },
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  })
  const type = response.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase()
  if (response.status !== 200 || type !== MEDIA_TYPE) return undefined
  const bytes = await readLimited(response, MAX_TOKEN_BYTES)
  if (bytes === undefined) return undefined
  const read = preflight(new TextDecoder().decode(bytes), {
    typ: [TYP.statusList],
    alg: algorithms,
    maxBytes: MAX_TOKEN_BYTES,
  })
  if (!read.ok) return undefined
  const { header, payload, signingInput, signature } = read.value
  const { kid, alg } = header
  if (typeof kid !== 'string' || typeof alg !== 'string') return undefined
  const lastIat = slot.list?.iat
  const claims = checkStatusListClaims(payload, { uri, issuer, now, lastIat, maxStalenessSeconds, skewSeconds })
  if (!claims.ok) return undefined
  const key = await keys.find(kid, alg, now)
  if (!key.ok || !(await Promise.resolve(verifySignature(key.value.key, signingInput, signature)))) return undefined
  const decoded = await decodeStatusList(claims.value.lst)
  if (!decoded.ok) return undefined
  const { iat, bits, refreshAt, usableUntil } = claims.value
  return { iat, bits, bytes: decoded.value, refreshAt, usableUntil }
}
