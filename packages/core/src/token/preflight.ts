import { decodeBase64url, decodeUtf8 } from '#crypto'
import { isObject } from '../json/is-object.ts'
import { parseDecoded } from '../json/parse-strict-json.ts'
import type { JsonObject } from '../json/value.ts'
import type { RefusalReason } from '../reason.ts'
import { ok, refuse } from '../result.ts'
import type { Refused, Result } from '../result.ts'
import { looksExpired } from './looks-expired.ts'

/** What one kind of token looks like. */
export interface TokenShape {
  /** Accepted `typ` values, exact; `''` = may be absent. `at+jwt` also accepts `application/at+jwt`. */
  readonly typ: readonly string[]
  readonly alg: readonly string[]
  /** Longest token, in characters. */
  readonly maxBytes: number
  /** For proofs, where the key is in the header. */
  readonly allowJwk?: true
  /** The only header members there may be. */
  readonly onlyHeader?: readonly string[]
}

export interface ReadToken {
  readonly header: JsonObject
  readonly payload: JsonObject
  /** `header.payload`, as signed. */
  readonly signingInput: string
  readonly signature: Uint8Array
}

const EXPIRED: Refused<RefusalReason> = refuse('token-expired')
const malformed = (detail: string): Refused<RefusalReason> => refuse('token-malformed', detail)
const BAD_PAYLOAD = malformed('the payload is not canonical base64url of strict JSON')

/** The three segments of a compact JWS, or undefined. */
export function splitToken(token: unknown, maxBytes: number): readonly [string, string, string] | undefined {
  if (typeof token !== 'string' || token.length > maxBytes) return undefined
  const first = token.indexOf('.')
  const second = token.indexOf('.', first + 1)
  if (first < 1 || second < first + 2 || second === token.length - 1) return undefined
  return [token.slice(0, first), token.slice(first + 1, second), token.slice(second + 1)]
}

/** The JSON object in one segment, read strictly; undefined where anything about it is off. */
export function readSegment(segment: string): JsonObject | undefined {
  const bytes = decodeBase64url(segment)
  if (bytes === undefined) return undefined
  const text = decodeUtf8(bytes)
  return text === undefined ? undefined : readObject(text, bytes)
}

function readObject(text: string, bytes: Uint8Array): JsonObject | undefined {
  const parsed = parseDecoded(text, bytes)
  return parsed.ok && isObject(parsed.value) ? parsed.value : undefined
}

const MAX_KEPT_HEADERS = 64
const MAX_KEPT_CHARACTERS = 256
const keptHeaders = new Map<string, JsonObject>()

/** An issuer's tokens share one header. Read headers are kept by their exact text, frozen, and only where they are flat. */
function readHeader(segment: string): JsonObject | undefined {
  const kept = keptHeaders.get(segment)
  if (kept !== undefined) return kept
  const header = readSegment(segment)
  if (header === undefined || segment.length > MAX_KEPT_CHARACTERS) return header
  if (Object.values(header).some((value) => typeof value === 'object')) return header
  if (keptHeaders.size >= MAX_KEPT_HEADERS) keptHeaders.clear()
  // A copy: a piece would keep the whole token in memory.
  keptHeaders.set(` ${segment}`.slice(1), Object.freeze(header))
  return header
}

/**
 * Reads a compact JWS strictly, before any key or signature is looked at.
 *
 * Canonical base64url only, strict JSON objects only, `alg` and `typ` exact and listed, no `crit`, `b64`, `zip`, no key
 * or key URL in the header (but `jwk` with `allowJwk`), `kid` a short string. Does not check claims or the signature,
 * but where `now` (NumericDate seconds) is given, what plainly says that it is over is refused before it is parsed.
 */
export function preflight(token: string, expect: TokenShape, now = Number.NaN): Result<ReadToken, RefusalReason> {
  const parts = splitToken(token, expect.maxBytes)
  if (parts === undefined) return malformed('not a compact JWS within its size limit')
  const header = readHeader(parts[0])
  if (header === undefined) return malformed('the header is not canonical base64url of strict JSON')
  const bad = checkHeader(header, expect)
  if (bad !== undefined) return bad
  const bytes = decodeBase64url(parts[1])
  if (bytes === undefined) return BAD_PAYLOAD
  const text = decodeUtf8(bytes)
  if (text === undefined) return BAD_PAYLOAD
  if (looksExpired(text, now)) return EXPIRED
  const payload = readObject(text, bytes)
  if (payload === undefined) return BAD_PAYLOAD
  const signature = decodeBase64url(parts[2])
  if (signature === undefined) return malformed('the signature is not canonical base64url')
  return ok({ header, payload, signingInput: token.slice(0, parts[0].length + 1 + parts[1].length), signature })
}

const REFUSED_MEMBERS: ReadonlySet<string> = new Set(['crit', 'b64', 'zip', 'jku', 'x5u', 'x5c', 'enc'])

/** Checks a header against a kind of token; undefined when nothing is wrong. */
export function checkHeader(header: JsonObject, expect: TokenShape): Refused<RefusalReason> | undefined {
  for (const name of Object.keys(header)) {
    if (REFUSED_MEMBERS.has(name) || (name === 'jwk' && expect.allowJwk !== true)) {
      return malformed('the header has a member that is refused')
    }
    if (expect.onlyHeader !== undefined && !expect.onlyHeader.includes(name)) {
      return malformed('the header has a member this kind of token may not have')
    }
  }
  const { alg, typ, kid } = header
  if (!expect.alg.includes(alg as string)) return refuse('token-algorithm')
  if (!(Object.hasOwn(header, 'typ') ? isType(typ, expect.typ) : expect.typ.includes(''))) return refuse('token-type')
  if (Object.hasOwn(header, 'kid') && (typeof kid !== 'string' || kid === '' || kid.length > 128)) {
    return malformed('kid is a string of at most 128 characters')
  }
  return undefined
}

function isType(typ: unknown, expected: readonly string[]): boolean {
  // Absent is what '' stands for; a typ that is there is never empty.
  if (typ === '') return false
  return expected.includes(typ as string) || (typ === 'application/at+jwt' && expected.includes('at+jwt'))
}
