import { createHash, randomBytes } from 'node:crypto'
import { createEs256Key, segment } from './es256-key.ts'
import type { Es256Key } from './es256-key.ts'

export interface ProofInput {
  readonly method: string
  readonly url: string
  /** The access token that travels beside the proof. */
  readonly token?: string
  readonly body?: string
  readonly query?: string
}

/** Who holds grants: one key, and fresh proofs by it. */
export interface Holder {
  readonly key: Es256Key
  proof(input: ProofInput): string
}

const digest = (text: string): string => `sha-256=:${createHash('sha256').update(text).digest('base64')}:`

export function createHolder(key: Es256Key = createEs256Key()): Holder {
  const header = segment({ typ: 'dpop+jwt', alg: 'ES256', jwk: key.jwk })
  return {
    key,
    proof: ({ method, url, token, body, query }) =>
      key.sign(header, {
        jti: randomBytes(16).toString('base64url'),
        htm: method,
        htu: url,
        iat: Math.floor(Date.now() / 1000),
        ...(token === undefined ? {} : { ath: createHash('sha256').update(token).digest('base64url') }),
        ...(body === undefined ? {} : { content_digest: digest(body) }),
        ...(query === undefined ? {} : { query_digest: digest(query) }),
      }),
  }
}
