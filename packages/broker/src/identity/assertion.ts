import {
  CLIENT_ASSERTION_TYPE,
  DEFAULT_SKEW_SECONDS,
  MAX_ASSERTION_BYTES,
  ok,
  parseSpiffeId,
  preflight,
  refuse,
  sha256Base64url,
  type JsonObject,
  type RefusalReason,
  type Result,
  type VerifiedIdentity,
  type WorkloadIdentity,
} from '@hallpass/core'
import { checkAssertionClaims } from './assertion-claims.ts'
import { importOnce, type KeySource } from './key-choice.ts'
import { signatureHolds } from './signature-holds.ts'
import { claimsMatch, placeOf, type Registry } from './registry.ts'
import type { Registrant } from './registrant.ts'
import { issuerOf, subjectOf } from './workload-names.ts'

export interface AssertionVerifier {
  readonly registry: Registry
  keysFor(identity: WorkloadIdentity): KeySource
  readonly issuer: string
  readonly clock: () => number
}

export interface PresentedAssertion {
  readonly type: string
  readonly assertion: string
  readonly clientId?: string
}

/** Who proved to be whom, and the key the assertion itself is bound to, where it is. */
export interface AuthenticatedWorkload {
  readonly registrant: Registrant
  readonly identity: VerifiedIdentity
  readonly boundTo?: string
}

const RSA_AND_EC = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512']
const EDWARDS = ['EdDSA', 'Ed25519']
const USUAL = ['ES256', 'ES384', 'RS256', 'PS256', ...EDWARDS]

/**
 * What each kind of identity may look like on the wire: `alg` unless its registration says otherwise, `known` at most.
 * SPIFFE takes no EdDSA and no other header member.
 */
const KINDS = {
  oidc: {
    typ: ['', 'JWT', 'at+jwt'],
    alg: USUAL,
    known: [...RSA_AND_EC, ...EDWARDS],
    maxLifeSeconds: 24 * 3600,
    audienceArray: true,
  },
  spiffe: {
    typ: ['', 'JWT', 'JOSE'],
    alg: RSA_AND_EC,
    known: RSA_AND_EC,
    maxLifeSeconds: 3600,
    audienceArray: true,
  },
  private_key_jwt: {
    typ: ['', 'JWT', 'client-authentication+jwt'],
    alg: USUAL,
    known: [...RSA_AND_EC, ...EDWARDS],
    maxLifeSeconds: 600,
    audienceArray: false,
  },
} as const

/**
 * Verifies a client assertion against the registered identities: RFC 7523 with rfc7523bis, or a SPIFFE JWT-SVID.
 * Keys come from the pinned identity, never from the token. Does not check whether another key presented it before.
 */
export async function verifyAssertion(
  verifier: AssertionVerifier,
  presented: PresentedAssertion,
): Promise<Result<AuthenticatedWorkload, RefusalReason>> {
  const registrant = select(verifier.registry, presented)
  if (!registrant.ok) return registrant
  const { identity } = registrant.value
  const kind = KINDS[identity.kind]
  const allowed = 'algorithms' in identity && identity.algorithms ? identity.algorithms : kind.alg
  const token = preflight(presented.assertion, {
    typ: kind.typ,
    alg: kind.known.filter((alg) => allowed.includes(alg)),
    maxBytes: MAX_ASSERTION_BYTES,
    ...(identity.kind === 'spiffe' ? { onlyHeader: ['alg', 'kid', 'typ'] } : {}),
  })
  if (!token.ok) return token
  const { header, payload, signingInput, signature } = token.value

  const subject = subjectOf(identity)
  const iss = issuerOf(identity)
  const claims = checkAssertionClaims(payload, {
    // A JWT-SVID names no issuer: its trust domain is in its subject.
    ...(identity.kind === 'spiffe' ? {} : { issuer: iss }),
    subject,
    audience: verifier.issuer,
    audienceArray: kind.audienceArray,
    now: verifier.clock(),
    skewSeconds: DEFAULT_SKEW_SECONDS,
    maxLifeSeconds: kind.maxLifeSeconds,
  })
  if (!claims.ok) return claims
  if (!isNamed(presented.clientId, registrant.value, subject)) return refuse('identity-invalid', 'client_id')
  const bound = confirmation(payload)
  if (!bound.ok) return bound

  const kid = header['kid'] as string | undefined
  if (kid === undefined && identity.kind === 'spiffe') return refuse('token-key-unknown', 'kid is required')
  const jwk = await verifier.keysFor(identity).find(kid, header['alg'] as string)
  if (!jwk.ok) return jwk
  const key = await importOnce(jwk.value, header['alg'] as string)
  if (!key.ok) return key
  if (!(await signatureHolds(key.value, signingInput, signature))) return refuse('token-signature')

  // Named by what is signed: with ECDSA, the same assertion can carry other signature bytes.
  const assertion = sha256Base64url(signingInput)
  return ok({
    registrant: registrant.value,
    identity: { kind: identity.kind, iss, sub: subject, claims: payload, assertion, exp: claims.value.exp },
    ...(bound.value === undefined ? {} : { boundTo: bound.value }),
  })
}

/** Picks the registration an assertion says it belongs to. What it says is verified afterwards. */
function select(registry: Registry, { type, assertion }: PresentedAssertion): Result<Registrant, RefusalReason> {
  const claims = peek(assertion)
  if (claims === undefined) return refuse('token-malformed')
  const { iss, sub } = claims
  if (typeof sub !== 'string') return refuse('token-claims', 'sub')
  const place = placeFor(type, iss, sub)
  if (!place.ok) return place
  const candidates = registry.at(place.value).filter(({ identity }) => claimsMatch(identity, claims))
  const [registrant] = candidates
  if (registrant === undefined || candidates.length > 1) return refuse('agent-unknown')
  return ok(registrant)
}

function placeFor(type: string, iss: unknown, sub: string): Result<string, RefusalReason> {
  if (type === CLIENT_ASSERTION_TYPE.jwtSpiffe) {
    return parseSpiffeId(sub).ok ? ok(placeOf.spiffe(sub)) : refuse('identity-invalid', 'not a SPIFFE ID')
  }
  if (type !== CLIENT_ASSERTION_TYPE.jwtBearer) return refuse('identity-invalid', 'client_assertion_type')
  if (typeof iss !== 'string') return refuse('issuer-unknown')
  return ok(iss === sub ? placeOf.private_key_jwt(sub) : placeOf.oidc(iss, sub))
}

/** Payload of a token nobody has verified yet; strictly parsed, to select by and for nothing else. */
function peek(assertion: string): JsonObject | undefined {
  const token = preflight(assertion, {
    typ: [...new Set(Object.values(KINDS).flatMap(({ typ }) => typ))],
    alg: KINDS.oidc.known,
    maxBytes: MAX_ASSERTION_BYTES,
  })
  return token.ok ? token.value.payload : undefined
}

/** `client_id` may be left out, or be the registered id or the workload's own subject. */
const isNamed = (clientId: string | undefined, { id }: Registrant, subject: string): boolean =>
  clientId === undefined || clientId === id || clientId === subject

/** A sender-constrained assertion counts only with its own key; a confirmation this broker cannot check counts never. */
function confirmation(payload: JsonObject): Result<string | undefined, RefusalReason> {
  if (!Object.hasOwn(payload, 'cnf')) return ok(undefined)
  const { cnf } = payload
  const jkt = typeof cnf === 'object' && cnf !== null && 'jkt' in cnf ? cnf['jkt'] : undefined
  const members = typeof cnf === 'object' && cnf !== null ? Object.keys(cnf).length : 0
  return typeof jkt === 'string' && members === 1 ? ok(jkt) : refuse('binding-failed', 'cnf of the assertion')
}
