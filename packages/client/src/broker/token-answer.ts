import type { JsonObject } from '@hallpass/core'
import { MAX_GRANT_BYTES, MAX_TASK_SECONDS, MAX_TTL_SECONDS, TOKEN_TYPE_URI } from '@hallpass/core'
import { asObject } from '../wire/json-object.ts'

/** What every token answer has; `life` in seconds. */
export interface TokenAnswer {
  readonly token: string
  readonly life: number
  readonly entry: JsonObject
}

export interface Expected {
  readonly kind: 'task' | 'grant'
  /** Thumbprint of this client's key: a token bound to another, or to none, is not taken. */
  readonly jkt: string
}

const COMPACT_JWS = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/

/**
 * Checks what a broker's answer must be before anything in it is used: a DPoP token of a sane life, bound to the own
 * key, with exactly one entry. The token itself stays opaque (RFC 9068 section 6).
 *
 * @returns nothing when one of it does not hold.
 */
export function tokenAnswer(body: JsonObject, { kind, jkt }: Expected): TokenAnswer | undefined {
  const { access_token: token, token_type: type, expires_in: life, authorization_details: details } = body
  if (typeof token !== 'string' || token.length > MAX_GRANT_BYTES || !COMPACT_JWS.test(token)) return undefined
  if (typeof type !== 'string' || type.toLowerCase() !== 'dpop') return undefined
  if (asObject(body['cnf'])?.['jkt'] !== jkt) return undefined
  if (kind === 'grant' && body['issued_token_type'] !== TOKEN_TYPE_URI.accessToken) return undefined
  const longest = kind === 'grant' ? MAX_TTL_SECONDS : MAX_TASK_SECONDS
  if (typeof life !== 'number' || !Number.isInteger(life) || life < 1 || life > longest) return undefined
  if (!Array.isArray(details) || details.length !== 1) return undefined
  const entry = asObject(details[0])
  return entry === undefined ? undefined : { token, life, entry }
}
