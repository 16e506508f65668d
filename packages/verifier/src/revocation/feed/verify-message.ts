import type { FeedRun, RefusalReason, Result } from '@hallpass/core'
import {
  MAX_FEED_MESSAGE_BYTES,
  TYP,
  checkFeedClaims,
  isPromise,
  preflight,
  refuse,
  verifySignature,
} from '@hallpass/core'
import type { IssuerKeys } from '../../keys/issuer-keys.ts'

export interface MessageRules {
  readonly issuer: string
  readonly audience: string
  readonly keys: IssuerKeys
  readonly algorithms: readonly string[]
  readonly skewSeconds: number
}

/**
 * Verifies one message of the feed (RFC 8417): strict JWS form, type, claims, then the signature by the configured
 * issuer's key. Does not check its place among the others.
 */
export async function verifyMessage(
  token: string,
  { issuer, audience, keys, algorithms, skewSeconds }: MessageRules,
  now: number,
): Promise<Result<FeedRun, RefusalReason>> {
  const read = preflight(token, { typ: [TYP.securityEvent], alg: algorithms, maxBytes: MAX_FEED_MESSAGE_BYTES })
  if (!read.ok) return read
  const { header, payload, signingInput, signature } = read.value
  const run = checkFeedClaims(payload, { issuer, audience, now, skewSeconds })
  if (!run.ok) return run
  const { kid, alg } = header
  if (typeof kid !== 'string' || typeof alg !== 'string') return refuse('token-key-unknown')
  const found = keys.find(kid, alg, now)
  const key = isPromise(found) ? await found : found
  if (!key.ok) return key
  const holds = verifySignature(key.value.key, signingInput, signature)
  return (isPromise(holds) ? await holds : holds) ? run : refuse('token-signature')
}
