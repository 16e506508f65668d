import { HallpassError } from '../fault.ts'
import { isSignatureAlgorithm } from '../token/algorithm.ts'
import type { JwkSet, OidcIdentity, PrivateKeyJwtIdentity, SpiffeIdentity } from './identity.ts'
import { parseSpiffeId } from './spiffe-id.ts'

const SCALARS: ReadonlySet<string> = new Set(['string', 'number', 'boolean'])

const invalid = (what: string): HallpassError => new HallpassError('configuration-invalid', what)

function needText(value: unknown, what: string): void {
  if (typeof value !== 'string' || value === '') {
    throw invalid(`${what} is missing: an identity pins its audience and its subject.`)
  }
  if (value.includes('*')) throw invalid(`${what} is compared exactly; it has no wildcards.`)
}

function needKeys(jwks: JwkSet | undefined, what: string): void {
  const keys: unknown = jwks?.keys
  if (!Array.isArray(keys) || keys.length === 0) throw invalid(`${what} has no keys.`)
  for (const key of keys as unknown[]) {
    if (typeof key !== 'object' || key === null) throw invalid(`${what} holds something that is no key.`)
    if (Object.hasOwn(key, 'd') || Object.hasOwn(key, 'k')) {
      throw invalid(`${what} holds a private or symmetric key; pass public keys only.`)
    }
  }
}

interface CommonOptions {
  readonly keysPerAssertion?: number
  readonly algorithms?: readonly string[]
}

function checkCommon(options: CommonOptions, known: readonly string[]): void {
  const odd = Object.keys(options).find((name) => !known.includes(name) && name !== 'keysPerAssertion')
  if (odd !== undefined) throw invalid(`'${odd}' is no option of this identity.`)
  const { keysPerAssertion = 1, algorithms } = options
  if (!Number.isSafeInteger(keysPerAssertion) || keysPerAssertion < 1) {
    throw invalid('keysPerAssertion is a whole number from 1.')
  }
  if (algorithms !== undefined && (algorithms.length === 0 || !algorithms.every(isSignatureAlgorithm))) {
    throw invalid('algorithms lists asymmetric JWS algorithms, at least one.')
  }
}

/** A copy that shares nothing with what the caller holds, and that nobody changes. */
function frozenCopy<T extends object>(options: T): T {
  return freezeDeep(structuredClone(options))
}

function freezeDeep<T extends object>(value: T): T {
  for (const part of Object.values(value) as unknown[]) {
    if (typeof part === 'object' && part !== null) freezeDeep(part)
  }
  return Object.freeze(value)
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
  if (Object.values(options.claims ?? {}).some((claim) => !SCALARS.has(typeof claim))) {
    throw invalid('claims are compared exactly: text, numbers, true and false only.')
  }
  checkCommon(options, ['issuer', 'audience', 'subject', 'claims', 'jwks', 'algorithms'])
  return frozenCopy({ ...options, kind: 'oidc' })
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
  checkCommon(options, ['id', 'audience', 'bundle', 'algorithms'])
  if (options.algorithms?.some((alg) => !/^[REP]S/.test(alg)))
    throw invalid('A JWT-SVID is signed with RS, ES or PS algorithms.')
  return frozenCopy({ ...options, kind: 'spiffe' })
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
  checkCommon(options, ['audience', 'subject', 'jwks'])
  return frozenCopy({ ...options, kind: 'private_key_jwt' })
}
