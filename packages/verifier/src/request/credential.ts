import type { RefusalReason, Result } from '@hallpass/core'
import { decodeBase64url, ok, refuse } from '@hallpass/core'
import type { RequestFields } from './request-fields.ts'

/** The one credential of a request: a grant's token, and the proof that came with it. */
export interface Credential {
  readonly token: string
  /** Absent under `Bearer`: only grants without a key may come that way, and only where the verifier takes them. */
  readonly proof: string | undefined
}

/** What decides whether a request carries a credential of ours at all. */
export interface CredentialRules {
  readonly issuer: string
  readonly acceptUnbound: boolean
  /** Another authentication stands behind this one: a `Bearer` token that is not ours is its business. */
  readonly sharesRoute: boolean
}

const MISSING = refuse('credential-missing')
const TWO_CREDENTIALS = refuse('credential-malformed', 'The request carries more than one credential')
export const NOT_TOKEN68 = refuse('credential-malformed', 'The Authorization field is not a scheme and one token')
const IN_QUERY = refuse('credential-malformed', 'A token in the query is never read')
const PROOF_REPEATED = refuse('proof-malformed', 'The request carries more than one DPoP field')
const PROOF_MISSING = refuse('proof-missing')
const UNBOUND = refuse('binding-failed', 'A grant is presented with the DPoP scheme and a proof')

/**
 * Finds the one credential of a request (RFC 9449 section 7, RFC 6750 section 2).
 * Anything with the DPoP scheme or a DPoP field is ours, and so is a `Bearer` token that names our issuer, good or
 * bad: only a request with none of these is `credential-missing`, the one reason that may fall to another
 * authentication. Checks neither token nor proof.
 */
export function findCredential(
  fields: RequestFields,
  query: string,
  rules: CredentialRules,
): Result<Credential, RefusalReason> {
  const { authorization, proof } = fields
  if (fields.repeated === 'authorization') return TWO_CREDENTIALS
  if (fields.repeated === 'proof') return PROOF_REPEATED
  if (query !== '' && carriesToken(query, rules)) return IN_QUERY
  if (authorization === undefined) return proof === undefined ? MISSING : NOT_TOKEN68
  const space = authorization.indexOf(' ')
  const scheme = (space < 0 ? authorization : authorization.slice(0, space)).toLowerCase()
  const token = space < 0 ? '' : authorization.slice(space + 1)
  // What is no token68 is found out when it is read as a token: one that was seen before is none of that.
  if (scheme === 'dpop') {
    if (token === '') return NOT_TOKEN68
    return proof === undefined ? PROOF_MISSING : ok({ token, proof })
  }
  if (proof !== undefined) return TWO_CREDENTIALS
  if (scheme === 'bearer' && !rules.sharesRoute) {
    if (token === '') return NOT_TOKEN68
    return rules.acceptUnbound ? ok({ token, proof: undefined }) : UNBOUND
  }
  // A web `Headers` joins two fields into one value: ours may stand behind another's.
  if (ourSecond(authorization, rules)) return TWO_CREDENTIALS
  if (scheme !== 'bearer' || !namesIssuer(token, rules.issuer)) return MISSING
  return rules.acceptUnbound ? ok({ token, proof: undefined }) : UNBOUND
}

/** What stands where a token should: two of them, or something with spaces. Two fields that were joined have a comma. */
export const isNoToken68 = (token: string): boolean => token.includes(',') || token.includes(' ')

/** Whether a credential of ours stands behind another's. */
const ourSecond = (authorization: string, rules: CredentialRules): boolean =>
  authorization
    .split(',')
    .slice(1)
    .some((part) => isOurs(part.trim(), rules))

function isOurs(credential: string, { issuer }: CredentialRules): boolean {
  const [scheme = '', token = ''] = credential.split(' ')
  return scheme.toLowerCase() === 'dpop' || (scheme.toLowerCase() === 'bearer' && namesIssuer(token, issuer))
}

/** RFC 6750 section 2.3 puts tokens into the query, where logs and caches see them. */
function carriesToken(query: string, rules: CredentialRules): boolean {
  if (!query.includes('access') && !query.includes('%')) return false
  const values = new URLSearchParams(query).getAll('access_token')
  return rules.sharesRoute ? values.some((value) => namesIssuer(value, rules.issuer)) : values.length > 0
}

/**
 * Whether a token is ours by its own word. Lenient on purpose: what cannot be read strictly but names the issuer is
 * a bad credential of ours, and a bad credential never falls through.
 */
function namesIssuer(token: string, issuer: string): boolean {
  const payload = token.split('.')[1]?.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
  if (payload === undefined) return false
  const bytes = decodeBase64url(payload) ?? decodeBase64url(payload.slice(0, -1))
  if (bytes === undefined) return false
  const text = new TextDecoder().decode(bytes).replaceAll('\\/', '/')
  return text.includes(issuer)
}
