import { importVerifyKey, verifySignature } from '#crypto'
import { isObject } from '../json/is-object.ts'
import type { Jwk } from '../identity/identity.ts'
import type { Result } from '../result.ts'
import { ok, refuse } from '../result.ts'
import { TYP } from '../token/constants.ts'
import { preflight } from '../token/preflight.ts'
import { jwkThumbprint } from '../token/thumbprint.ts'
import type { SourceHead } from './event.ts'
import { isOrigin } from './origin.ts'

/** What the keeper of a chain of events vouches for: its line `seq` has this hash, and so has every line before it. */
export interface SourceCheckpoint extends SourceHead {
  /** NumericDate at which it was signed. */
  readonly time: number
}

/** A checkpoint, and the key in it whose signature it has. */
export interface SignedSourceCheckpoint extends SourceCheckpoint {
  /** Thumbprint (RFC 7638) of that key. Whose key that is, the checkpoint does not prove. */
  readonly jkt: string
}

const MAX_BYTES = 4096

/**
 * Checks that a source's checkpoint (compact JWS, `typ` hallpass-source-checkpoint+jwt) is signed by the key in its own
 * header. Does not check whose key that is, nor whether a trail has that line.
 */
export async function verifySourceCheckpoint(
  jws: string,
): Promise<Result<SignedSourceCheckpoint, 'checkpoint-malformed' | 'checkpoint-signature'>> {
  const parts = preflight(jws, {
    typ: [TYP.sourceCheckpoint],
    alg: ['ES256'],
    maxBytes: MAX_BYTES,
    allowJwk: true,
    onlyHeader: ['typ', 'alg', 'jwk'],
  })
  if (!parts.ok) return refuse('checkpoint-malformed', parts.detail)
  const { header, payload, signingInput, signature } = parts.value
  const { source, chain, seq, hash, time } = payload
  const place = { chain, seq, prev: hash, hash }
  if (!isOrigin(place) || typeof source !== 'string' || typeof time !== 'number')
    return refuse('checkpoint-malformed', "A source's checkpoint holds source, chain, seq, hash and time")
  const { jwk } = header
  if (!isObject(jwk)) return refuse('checkpoint-malformed', 'It has no key')
  const key = await Promise.resolve(importVerifyKey(jwk as unknown as Jwk, 'ES256'))
  if (!key.ok) return refuse('checkpoint-malformed', 'Its key is not an ES256 public key')
  if (!(await Promise.resolve(verifySignature(key.value, signingInput, signature))))
    return refuse('checkpoint-signature', 'Its signature does not fit its key')
  const { chain: name, seq: number, hash: digest } = place
  return ok({ source, chain: name, seq: number, hash: digest, time, jkt: jwkThumbprint(jwk as unknown as Jwk) })
}
