import { randomBytes } from 'node:crypto'
import { CLAIM, DETAIL_TYPE, parameterDigest } from '@hallpass/core'
import type { GrantClaims, JsonObject, Limit } from '@hallpass/core'
import { createEs256Key, segment } from './es256-key.ts'
import type { Es256Key } from './es256-key.ts'
import { AUDIENCE, ISSUER } from './orders-api.ts'

export const AGENT = 'support-bot'
export const OWNER = 'team:support'
export const POLICY = { version: '1', digest: `sha-256:${'p'.repeat(43)}` } as const
/** The longest a grant may live: no row outlives its warm tokens. */
export const TTL_SECONDS = 900

export interface GrantInput {
  readonly txn: string
  readonly action: 'order.read' | 'refund.create'
  readonly resource: string
  /** Thumbprint of the holder's key; without it the grant is unbound. */
  readonly jkt?: string
  readonly parameters?: JsonObject
  readonly calls: number
  /** Seconds from now; negative = expired. */
  readonly ttl?: number
}

export interface SignedGrant {
  readonly token: string
  readonly claims: GrantClaims
}

/** Signs grants of the shape the broker signs, without its work: what is timed is whoever checks them. */
export interface BenchIssuer {
  readonly issuer: string
  readonly key: Es256Key
  jwks(): { readonly keys: readonly Es256Key['jwk'][] }
  grant(input: GrantInput): SignedGrant
}

const KID = 'bench-1'
const callLimit = (max: number): Limit => ({ id: 'calls', per: 'grant', max })

export function createBenchIssuer(key: Es256Key = createEs256Key()): BenchIssuer {
  const header = segment({ alg: 'ES256', typ: 'at+jwt', kid: KID })
  return {
    issuer: ISSUER,
    key,
    jwks: () => ({ keys: [{ ...key.jwk, kid: KID, alg: 'ES256', use: 'sig' }] }),
    grant(input) {
      const claims = claimsOf(input)
      return { token: key.sign(header, claims), claims }
    },
  }
}

function claimsOf({ txn, action, resource, jkt, parameters = {}, calls, ttl = TTL_SECONDS }: GrantInput): GrantClaims {
  const now = Math.floor(Date.now() / 1000)
  const iat = ttl > 0 ? now : now + ttl - 60
  return {
    iss: ISSUER,
    sub: AGENT,
    aud: AUDIENCE,
    client_id: AGENT,
    iat,
    exp: ttl > 0 ? now + ttl : now + ttl,
    jti: `gr_${randomBytes(16).toString('base64url')}`,
    txn,
    ...(jkt === undefined ? {} : { cnf: { jkt } }),
    authorization_details: [
      {
        type: DETAIL_TYPE.toolCall,
        locations: [AUDIENCE],
        actions: [action],
        identifier: resource,
        limits: [callLimit(calls)],
        parameter_digest: parameterDigest(parameters),
      },
    ],
    status: { status_list: { idx: 0, uri: `${ISSUER}/status/1` } },
    [CLAIM.policy]: POLICY,
    [CLAIM.path]: { tasks: [txn], agents: [AGENT], owner: OWNER },
  }
}
