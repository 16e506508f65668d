import type { MaybePromise } from '@hallpass/core'
import { encodeBase64url, jwkThumbprint, sha256Base64, TYP } from '@hallpass/core'
import { randomToken } from '#crypto'
import type { ClientKey } from './client-key.ts'

/** One request that a proof is to be good for, and nothing else. */
export interface ProofRequest {
  readonly method: string
  /** Target without query and fragment. */
  readonly url: string
  /** NumericDate seconds; fractions are cut off. */
  readonly now: number
  /** base64url SHA-256 of the access token that travels beside the proof. */
  readonly ath?: string | undefined
  /** The exact bytes of the body, where there is one. */
  readonly body?: Uint8Array | string | undefined
  /** The raw query without `?`, where there is one. */
  readonly query?: string | undefined
  readonly nonce?: string | undefined
}

export interface ProofMaker {
  /** RFC 7638 thumbprint of the key: what `cnf.jkt` must be. */
  readonly jkt: string
  readonly proof: (request: ProofRequest) => MaybePromise<string>
}

/** RFC 9530 value of one SHA-256 digest. */
export const contentDigest = (data: Uint8Array | string): string => `sha-256=:${sha256Base64(data)}:`

/** Printable ASCII without quote and backslash: JSON needs no escapes for it. */
const PLAIN = /^[ !#-[\]-~]*$/

/** A text as JSON. Methods and URLs are plain, and looking is cheaper than serialising. */
const quoted = (text: string): string => (PLAIN.test(text) ? `"${text}"` : JSON.stringify(text))

/**
 * Makes proofs of possession (RFC 9449 section 4.2) with one key.
 *
 * The header never changes, so it is encoded once; the claims are spliced instead of built and serialised.
 */
export function createProofMaker(key: ClientKey): ProofMaker {
  const { kty, crv, x, y } = key.jwk
  const header = JSON.stringify({ typ: TYP.proof, alg: 'ES256', jwk: { kty, crv, x, y } })
  const segment = encodeBase64url(new TextEncoder().encode(header))
  return {
    jkt: jwkThumbprint({ kty, crv, x, y }),
    proof({ method, url, now, ath, body, query, nonce }) {
      let claims = `{"jti":"${randomToken()}","htm":${quoted(method)},"htu":${quoted(url)}`
      claims += `,"iat":${Math.floor(now)}`
      if (ath !== undefined) claims += `,"ath":"${ath}"`
      if (nonce !== undefined) claims += `,"nonce":${JSON.stringify(nonce)}`
      if (body !== undefined) claims += `,"content_digest":"${contentDigest(body)}"`
      if (query !== undefined) claims += `,"query_digest":"${contentDigest(query)}"`
      return key.sign(segment, `${claims}}`)
    },
  }
}
