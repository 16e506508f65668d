import { isObject } from '../json/is-object.ts'
import type { JsonObject, JsonValue } from '../json/value.ts'
import type { RevocationEntry } from '../ledger/revocation-entry.ts'
import type { RefusalReason } from '../reason.ts'
import type { Result } from '../result.ts'
import { ok, refuse } from '../result.ts'
import { SECURITY_EVENT } from '../token/constants.ts'

/** Dead grants of one status list. */
export interface DeadIndexes {
  readonly uri: string
  /** NumericDate after which each of these grants has expired. */
  readonly until: number
  readonly idx: readonly number[]
}

/** A run of the revocation log, as far as one audience is concerned: what one message of the feed says. */
export interface FeedRun {
  readonly incarnation: string
  /** Where the message before ended; null at the start of the log. A message counts only where its reader is there. */
  readonly prev: string | null
  /** Where this one ends. */
  readonly cursor: string
  /** NumericDate of the ledger's clock at which the log was read. */
  readonly at: number
  /** Whether the log ended there: a reader that is there knows every revocation up to `at`. */
  readonly complete: boolean
  /** `stopped`: nothing is good. A number: nothing issued up to then is. Absent: nothing new about it. */
  readonly everything?: 'stopped' | number
  readonly dead: readonly DeadIndexes[]
}

/** What some lines of the log mean to one audience. */
export function concerning(
  audience: string,
  entries: readonly RevocationEntry[],
): Pick<FeedRun, 'everything' | 'dead'> & { readonly txn?: string } {
  const lists = new Map<string, { until: number; idx: number[] }>()
  const tasks = new Set<string>()
  let everything: FeedRun['everything']
  for (const entry of entries) {
    if (entry.kind === 'grant') {
      if (entry.audience !== audience) continue
      const { uri, idx } = entry.status
      const list = lists.get(uri)
      if (list === undefined) lists.set(uri, { until: entry.exp, idx: [idx] })
      else {
        list.until = Math.max(list.until, entry.exp)
        list.idx.push(idx)
      }
      tasks.add(entry.txn)
    } else if (entry.target.kind === 'everything') everything = entry.kind === 'stop' ? 'stopped' : entry.cutOff
  }
  const [txn] = tasks
  return {
    ...(everything !== undefined && { everything }),
    dead: [...lists].map(([uri, { until, idx }]) => ({ uri, until, idx })),
    ...(txn !== undefined && tasks.size === 1 && { txn }),
  }
}

/** The `events` claim of a message (RFC 8417 section 2.2). */
export const feedEvents = (run: FeedRun): JsonObject => ({
  [SECURITY_EVENT.revocations]: {
    incarnation: run.incarnation,
    prev: run.prev,
    cursor: run.cursor,
    at: run.at,
    complete: run.complete,
    ...(run.everything !== undefined && { everything: run.everything }),
    dead: run.dead.map(({ uri, until, idx }) => ({ uri, until, idx })),
  },
})

export interface FeedExpectation {
  readonly issuer: string
  readonly audience: string
  readonly now: number
  readonly skewSeconds: number
}

/** Highest index of any status list: 2^20 statuses in one. */
const MAX_INDEX = 2 ** 20 - 1

/**
 * Checks the claims of a feed message (RFC 8417; SSF 1.0: no `exp`, no `sub`, one event): transmitter, audience, times,
 * shape. Pure. Does not check signature or `typ`, nor whether the message follows the one before.
 */
export function checkFeedClaims(payload: JsonObject, expect: FeedExpectation): Result<FeedRun, RefusalReason> {
  const { iss, aud, iat, jti, events } = payload
  if (iss !== expect.issuer) return refuse('issuer-unknown')
  if (aud !== expect.audience) return refuse('audience-mismatch')
  if ('exp' in payload || 'sub' in payload) return refuse('token-claims', 'A security event has no exp and no sub')
  if (typeof jti !== 'string' || !isTime(iat)) return refuse('token-claims', 'jti or iat is missing')
  if (!isObject(events) || Object.keys(events).length !== 1) return refuse('token-claims', 'not exactly one event')
  const event = events[SECURITY_EVENT.revocations]
  if (!isObject(event)) return refuse('token-claims', 'not an event of the revocation feed')
  const { incarnation, prev, cursor, at, complete, everything, dead } = event
  if (typeof incarnation !== 'string' || typeof cursor !== 'string')
    return refuse('token-claims', 'the place in the log')
  if (prev !== null && typeof prev !== 'string') return refuse('token-claims', 'the place in the log')
  if (!isTime(at) || typeof complete !== 'boolean') return refuse('token-claims', 'at or complete')
  const latest = expect.now + expect.skewSeconds
  if (!(iat <= latest && at <= latest)) return refuse('not-yet-valid', 'The message is from the future')
  if (everything !== undefined && everything !== 'stopped' && !isTime(everything)) {
    return refuse('token-claims', 'everything')
  }
  if (!Array.isArray(dead)) return refuse('token-claims', 'dead')
  const lists = (dead as readonly JsonValue[]).map(readDead)
  const read = lists.filter((list) => list !== undefined)
  if (read.length !== lists.length) return refuse('token-claims', 'dead')
  return ok({ incarnation, prev, cursor, at, complete, ...(everything !== undefined && { everything }), dead: read })
}

function readDead(value: JsonValue): DeadIndexes | undefined {
  if (!isObject(value)) return undefined
  const { uri, until, idx } = value
  if (typeof uri !== 'string' || !isTime(until) || !Array.isArray(idx)) return undefined
  const isIndex = (index: JsonValue): index is number =>
    typeof index === 'number' && Number.isSafeInteger(index) && index >= 0 && index <= MAX_INDEX
  const indexes = (idx as readonly JsonValue[]).filter(isIndex)
  return indexes.length === idx.length ? { uri, until, idx: indexes } : undefined
}

const isTime = (value: JsonValue | undefined): value is number =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0
