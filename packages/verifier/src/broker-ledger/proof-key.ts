import type { Jwk, SourceCheckpoint } from '@hallpass/core'
import { TYP, encodeBase64url, jwkThumbprint, sha256Base64, sha256Base64url } from '@hallpass/core'

/** One request to the broker that a proof is to be good for. */
export interface ProofOf {
  /** Default `POST`. */
  readonly method?: 'GET'
  readonly url: string
  /** Absent where the request has none. */
  readonly body?: string
  /** NumericDate seconds. */
  readonly now: number
  readonly accessToken?: string | undefined
  readonly nonce?: string | undefined
}

/** Makes proofs of possession (RFC 9449) with one ES256 key that cannot be exported. */
export interface ProofKey {
  readonly jkt: string
  proof(of: ProofOf): Promise<string>
  /** Signs how far the chain of this process's events reaches (compact JWS with the key in its header). */
  vouch(checkpoint: SourceCheckpoint): Promise<string>
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' } as const
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' } as const
const text = new TextEncoder()

/** Generates the key of one broker ledger. It signs proofs for the broker and checkpoints of its own events, nothing else. */
export async function createProofKey(): Promise<ProofKey> {
  const { subtle } = globalThis.crypto
  const pair = await subtle.generateKey(ALGORITHM, false, ['sign', 'verify'])
  // Raw, not as a JWK: on Node 20 a JWK export can wait for itself for ever when garbage collection finds the finished job.
  const point = new Uint8Array(await subtle.exportKey('raw', pair.publicKey))
  const x = encodeBase64url(point.subarray(1, 33))
  const y = encodeBase64url(point.subarray(33))
  const jwk: Jwk = { kty: 'EC', crv: 'P-256', x, y }
  const headerOf = (typ: string): string => encodeBase64url(text.encode(JSON.stringify({ typ, alg: 'ES256', jwk })))
  const header = headerOf(TYP.proof)
  const sealed = async (head: string, claims: object): Promise<string> => {
    const input = `${head}.${encodeBase64url(text.encode(JSON.stringify(claims)))}`
    const signature = await subtle.sign(SIGNATURE, pair.privateKey, text.encode(input))
    return `${input}.${encodeBase64url(new Uint8Array(signature))}`
  }
  return {
    jkt: jwkThumbprint(jwk),
    async proof({ method = 'POST', url, body, now, accessToken, nonce }) {
      const claims = {
        jti: encodeBase64url(globalThis.crypto.getRandomValues(new Uint8Array(16))),
        htm: method,
        htu: url,
        iat: Math.floor(now),
        ...(accessToken === undefined ? {} : { ath: sha256Base64url(accessToken) }),
        ...(nonce === undefined ? {} : { nonce }),
        ...(body === undefined ? {} : { content_digest: `sha-256=:${sha256Base64(body)}:` }),
      }
      return sealed(header, claims)
    },
    vouch: ({ source, chain, seq, hash, time }) =>
      sealed(headerOf(TYP.sourceCheckpoint), { source, chain, seq, hash, time }),
  }
}
