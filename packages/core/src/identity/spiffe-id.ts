import { ok, refuse } from '../result.ts'
import type { Result } from '../result.ts'

export interface SpiffeId {
  readonly trustDomain: string
  /** With its leading slash; empty for the trust domain itself. */
  readonly path: string
}

const PREFIX = 'spiffe://'
const DOMAIN = /^[a-z0-9._-]{1,255}$/
const SEGMENT = /^[A-Za-z0-9._-]+$/
const MAX_ID = 2048

/**
 * Reads a SPIFFE ID (SPIFFE-ID section 2): exact scheme, lower-case trust domain, plain path segments.
 *
 * `identity-invalid` for ports, user info, query, fragment, escapes, empty or dot segments, a trailing slash, and lengths
 * above 2048 (ID) or 255 (trust domain).
 */
export function parseSpiffeId(text: string): Result<SpiffeId, 'identity-invalid'> {
  if (typeof text !== 'string' || text.length > MAX_ID || !text.startsWith(PREFIX)) return refuse('identity-invalid')
  const [trustDomain = '', ...segments] = text.slice(PREFIX.length).split('/')
  const isPath = segments.every((segment) => SEGMENT.test(segment) && segment !== '.' && segment !== '..')
  if (!DOMAIN.test(trustDomain) || !isPath) return refuse('identity-invalid')
  return ok({ trustDomain, path: segments.length === 0 ? '' : `/${segments.join('/')}` })
}
