import { HallpassError } from '../fault.ts'
import { isSignatureAlgorithm } from '../token/algorithm.ts'
import type { JwkSet, OidcIdentity, PrivateKeyJwtIdentity, SpiffeIdentity } from './identity.ts'
import { parseSpiffeId } from './spiffe-id.ts'

const invalid = (what: string): HallpassError => new HallpassError('configuration-invalid', what)

function needText(value: unknown, what: string): void {
  if (typeof value !== 'string' || value === '')
    throw invalid(`${what} is missing: an identity pins its audience and its subject.`)
}

function needKeys(jwks: JwkSet | undefined, what: string): void {
  if (!Array.isArray(jwks?.keys) || jwks.keys.length === 0) throw invalid(`${what} has no keys.`)
  const isPrivate = jwks.keys.some((key: object) => Object.hasOwn(key, 'd') || Object.hasOwn(key, 'k'))
  if (isPrivate) throw invalid(`${what} holds a private or symmetric key; pass public keys only.`)
}

function checkCommon(options: { readonly keysPerAssertion?: number; readonly algorithms?: readonly string[] }): void {
  const { keysPerAssertion = 1, algorithms } = options
  if (!Number.isSafeInteger(keysPerAssertion) || keysPerAssertion < 1)
    throw invalid('keysPerAssertion is a whole number from 1.')
  if (algorithms !== undefined && (algorithms.length === 0 || !algorithms.every(isSignatureAlgorithm))) {
    throw invalid('algorithms lists asymmetric JWS algorithms, at least one.')
  }
}

const isHttps = (url: string): boolean => /^https:\/\/[^\s?#\\]+$/.test(url) && URL.canParse(url)
const isLoopback = (url: string): boolean => /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?(\/|$)/.test(url)

/**
 * Describes an OIDC workload identity: one pinned issuer, audience and exact subject.
 *
 * Throws `configuration-invalid` where one is missing, or a pinned key set is empty. Does not fetch anything.
 */
export function oidc(options: Omit<OidcIdentity, 'kind'>): OidcIdentity {
  needText(options.issuer, 'issuer')
  needText(options.audience, 'audience')
  needText(options.subject, 'subject')
  if (!isHttps(options.issuer) && !isLoopback(options.issuer))
    throw invalid('issuer is an https URL without query and fragment.')
  if (options.jwks !== undefined) needKeys(options.jwks, 'jwks')
  checkCommon(options)
  return Object.freeze({ ...structuredClone(options), kind: 'oidc' })
}

/**
 * Describes a SPIFFE workload identity: exact SPIFFE ID, audience, and the bundle of its trust domain.
 *
 * Throws `configuration-invalid` for an ID without a path, a missing audience, an empty bundle, or a bundle URL that is not https.
 */
export function spiffe(options: Omit<SpiffeIdentity, 'kind'>): SpiffeIdentity {
  needText(options.id, 'id')
  needText(options.audience, 'audience')
  const id = parseSpiffeId(options.id)
  if (!id.ok || id.value.path === '')
    throw invalid('id is a SPIFFE ID of one workload, such as spiffe://example.org/agent.')
  if (typeof options.bundle !== 'string') needKeys(options.bundle, 'bundle')
  else if (!isHttps(options.bundle)) throw invalid('bundle is a key set or the https URL of a bundle endpoint.')
  checkCommon(options)
  return Object.freeze({ ...structuredClone(options), kind: 'spiffe' })
}

/**
 * Describes a workload that signs its own assertions (RFC 7523) with a registered key.
 *
 * Throws `configuration-invalid` without audience, subject or at least one public key.
 */
export function privateKeyJwt(options: Omit<PrivateKeyJwtIdentity, 'kind'>): PrivateKeyJwtIdentity {
  needText(options.audience, 'audience')
  needText(options.subject, 'subject')
  needKeys(options.jwks, 'jwks')
  checkCommon(options)
  return Object.freeze({ ...structuredClone(options), kind: 'private_key_jwt' })
}
