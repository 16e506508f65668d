import {
  DEFAULT_SKEW_SECONDS,
  HallpassError,
  MAX_ASSERTION_BYTES,
  ok,
  preflight,
  refuse,
  TOKEN_TYPE_URI,
  type JsonObject,
  type JwkSet,
  type RefusalReason,
  type Result,
} from '@hallpass/core'
import { checkAssertionClaims } from './assertion-claims.ts'
import { importOnce } from './key-choice.ts'
import { signatureHolds } from './signature-holds.ts'
import type { KeySources } from './key-sources.ts'

/** An identity provider whose users agents may act for. */
export interface UserIssuer {
  readonly issuer: string
  /** The `aud` a user's token must carry alone. */
  readonly audience: string
  /** Claim that says which tenant the user belongs to; then it must be there. */
  readonly tenantClaim?: string
  /** Pinned keys; without them discovery is used. */
  readonly jwks?: JwkSet
  readonly algorithms?: readonly string[]
}

export interface OnBehalfOf {
  readonly iss: string
  readonly sub: string
  readonly tenant?: string
}

export interface UserIssuers {
  /** Verifies a user's token. Does not check `nonce`, session or consent: those were the identity provider's. */
  verify(token: string, tokenType: string, agent: string): Promise<Result<OnBehalfOf, RefusalReason>>
}

const TYPES: Readonly<Record<string, readonly string[]>> = {
  [TOKEN_TYPE_URI.idToken]: ['', 'JWT'],
  [TOKEN_TYPE_URI.jwt]: ['', 'JWT', 'at+jwt'],
}
const ALGORITHMS = ['ES256', 'ES384', 'RS256', 'PS256', 'EdDSA', 'Ed25519']
const MAX_LIFE_SECONDS = 24 * 3600

/** Throws `configuration-invalid` when an issuer is not pinned, is this broker, or is named twice. */
export function createUserIssuers(
  users: readonly UserIssuer[],
  own: { readonly issuer: string; readonly keys: KeySources; readonly clock: () => number },
): UserIssuers {
  const byIssuer = new Map<string, UserIssuer>()
  for (const user of users) {
    const { issuer, audience } = user
    if (!issuer || !audience || issuer === own.issuer || byIssuer.has(issuer)) {
      throw new HallpassError(
        'configuration-invalid',
        'Each user issuer needs an issuer and an audience, is not this broker, and is named once',
      )
    }
    byIssuer.set(issuer, { ...user })
  }

  return {
    async verify(token, tokenType, agent) {
      const typ = Object.hasOwn(TYPES, tokenType) ? TYPES[tokenType] : undefined
      if (typ === undefined) return refuse('subject-token-invalid', 'the type of the subject token is not supported')
      const parsed = preflight(token, { typ, alg: ALGORITHMS, maxBytes: MAX_ASSERTION_BYTES })
      if (!parsed.ok) return invalid(parsed.reason)
      const { header, payload, signingInput, signature } = parsed.value
      const user = typeof payload['iss'] === 'string' ? byIssuer.get(payload['iss']) : undefined
      if (user === undefined) return invalid('issuer-unknown')
      const alg = header['alg'] as string
      if (user.algorithms && !user.algorithms.includes(alg)) return invalid('token-algorithm')
      const subject = subjectOf(payload, user, agent)
      if (!subject.ok) return subject
      const claims = checkAssertionClaims(payload, {
        issuer: user.issuer,
        subject: subject.value.sub,
        audience: user.audience,
        audienceArray: true,
        now: own.clock(),
        skewSeconds: DEFAULT_SKEW_SECONDS,
        maxLifeSeconds: MAX_LIFE_SECONDS,
      })
      if (!claims.ok) return invalid(claims.reason)
      const jwk = await own.keys.forIssuer(user.issuer, user.jwks).find(header['kid'] as string | undefined, alg)
      if (!jwk.ok) return jwk.reason === 'keys-unavailable' ? jwk : invalid(jwk.reason)
      const key = await importOnce(jwk.value, alg)
      if (!key.ok) return invalid(key.reason)
      return (await signatureHolds(key.value, signingInput, signature)) ? subject : invalid('token-signature')
    },
  }
}

const invalid = (why: string): Result<never, RefusalReason> => refuse('subject-token-invalid', why)

function subjectOf(payload: JsonObject, user: UserIssuer, agent: string): Result<OnBehalfOf, RefusalReason> {
  const own = (name: string): unknown => (Object.hasOwn(payload, name) ? payload[name] : undefined)
  const sub = own('sub')
  if (typeof sub !== 'string' || sub === '' || sub.length > 512) return invalid('sub')
  // A user with an agent's name would make a token that reads as the agent's own authority.
  if (sub === agent) return invalid('the user has the name of the agent')
  // A sender-constrained token is worth nothing without a proof this broker has no way to ask for.
  if (own('cnf') !== undefined) return invalid('the token is bound to a key of somebody else')
  const mayAct = own('may_act') as { readonly sub?: unknown } | null | undefined
  if (mayAct !== undefined && mayAct?.sub !== agent) return invalid('may_act names somebody else')
  if (user.tenantClaim === undefined) return ok({ iss: user.issuer, sub })
  const tenant = own(user.tenantClaim)
  if (typeof tenant !== 'string' || tenant === '' || tenant.length > 512) return invalid('the tenant claim is missing')
  return ok({ iss: user.issuer, sub, tenant })
}
