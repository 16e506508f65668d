import { HallpassError } from '../fault.ts'
import type { RefusalReason } from '../reason.ts'
import { ok, refuse } from '../result.ts'
import type { Refused, Result } from '../result.ts'

/** A request's own address: what `htu` must say, the path to route by, and the raw query without `?`. */
export interface RequestUrl {
  readonly url: string
  readonly path: string
  readonly query: string
}

interface Base {
  readonly origin: string
  readonly prefix: string
}

const PATH = /^(?:\/(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})*)+$/
const QUERY = /^(?:[!$&'()*+,\-./0-9:;=?@A-Z[\]^_`a-z{|}~]|%[0-9A-Fa-f]{2})*$/
const MAX_TARGET = 8192
const MAX_BASES = 64
const bases = new Map<string, Base>()

/** Configured addresses, parsed once each. */
function baseOf(publicUrl: string): Base {
  const known = bases.get(publicUrl)
  if (known !== undefined) return known
  const url = /^https?:\/\/[^\s\\?#]+$/i.test(publicUrl) && URL.canParse(publicUrl) ? new URL(publicUrl) : undefined
  const prefix = url === undefined ? undefined : normalisePath(url.pathname.replace(/\/$/, '') || '/')
  if (url === undefined || prefix === undefined || url.username !== '' || url.password !== '') {
    throw new HallpassError(
      'configuration-invalid',
      'The public URL is an absolute http(s) URL without user, query and fragment.',
    )
  }
  const base = { origin: url.origin, prefix: prefix === '/' ? '' : prefix }
  if (bases.size < MAX_BASES) bases.set(publicUrl, base)
  return base
}

const malformed = (detail: string): Refused<RefusalReason> => refuse('request-malformed', detail)

/**
 * The URL of a request: origin and base path from configuration, path and query from the request line, nothing from `Host`.
 *
 * `target` is the request target as received: `/path?query`, or absolute-form, whose authority is dropped. Refused as
 * ambiguous: empty or dot segments, encoded slashes and backslashes, control characters, broken escapes, fragments,
 * backslashes, and anything RFC 3986 does not allow in a path. Escapes are normalised (RFC 3986 section 6.2.2).
 * Throws `configuration-invalid` for a `publicUrl` that is no absolute http(s) URL.
 */
export function requestUrl(publicUrl: string, target: string): Result<RequestUrl, RefusalReason> {
  const base = baseOf(publicUrl)
  if (typeof target !== 'string' || target.length > MAX_TARGET) return malformed('the request target is too long')
  const relative = target.startsWith('/') ? target : dropAuthority(target)
  if (relative === undefined) return malformed('the request target is neither a path nor an http URL')
  const question = relative.indexOf('?')
  const raw = question === -1 ? relative : relative.slice(0, question)
  const query = question === -1 ? '' : relative.slice(question + 1)
  const path = normalisePath(raw)
  if (path === undefined) return malformed('the path can be read in two ways')
  if (!QUERY.test(query)) return malformed('the query has characters that must be encoded')
  const full = base.prefix === '' ? path : base.prefix + (path === '/' ? '' : path)
  return ok({ url: base.origin + full, path, query })
}

/**
 * Path and query of an absolute-form target, whatever host it names; a user in it is refused (RFC 9110 section 4.2.4), and
 * so is what is no authority to a URL parser: it would see another path, or none.
 */
function dropAuthority(target: string): string | undefined {
  const [, authority = '', rest] = /^https?:\/\/([!"$-.0->A-[\]-~]+)([/?#].*|)$/is.exec(target) ?? []
  if (rest === undefined || !URL.canParse(`http://${authority}/`)) return undefined
  return rest.startsWith('/') ? rest : `/${rest}`
}

/** A path with its escapes normalised; undefined where two readers could see two paths. */
function normalisePath(path: string): string | undefined {
  if (!PATH.test(path) || path.includes('//')) return undefined
  const decoded = path.includes('%') ? normaliseEscapes(path) : path
  if (decoded === undefined) return undefined
  return /\/\.{1,2}(?:\/|$)/.test(decoded) ? undefined : decoded
}

/** Escapes of unreserved characters are decoded, others get capital hex; undefined for slashes, backslashes, controls. */
function normaliseEscapes(path: string): string | undefined {
  let refused = false
  const normal = path.replaceAll(/%([0-9A-Fa-f]{2})/g, (escape, hex: string) => {
    const code = Number.parseInt(hex, 16)
    if (code === 0x2f || code === 0x5c || code < 0x20 || code === 0x7f) refused = true
    const character = String.fromCharCode(code)
    return /[A-Za-z0-9._~-]/.test(character) ? character : escape.toUpperCase()
  })
  return refused ? undefined : normal
}

/** Whether a proof's `htu` names this URL, which came from `requestUrl` (RFC 9449 section 4.3, step 9). */
export function isSameUrl(htu: string, url: string): boolean {
  if (htu === url) return true
  const parts = /^(https?:\/\/[!"$-.0->A-[\]-~]+)(\/[^?#\\\s]*)?$/i.exec(htu)
  const authority = parts?.[1]
  // ASCII only, as in every URI (RFC 3986): what `canParse` of Node 20 says of Latin-1 changes once it is compiled.
  if (authority === undefined || !URL.canParse(`${authority}/`)) return false
  const path = normalisePath(removeDotSegments(parts?.[2] ?? '/'))
  return path !== undefined && new URL(authority).origin + path === url
}

/** RFC 3986 section 5.2.4, on a path that starts with a slash. */
function removeDotSegments(path: string): string {
  const kept: string[] = []
  const segments = path.split('/').slice(1)
  for (const [index, segment] of segments.entries()) {
    const plain = segment.replaceAll(/%2e/gi, '.')
    const isDot = plain === '.' || plain === '..'
    if (plain === '..') kept.pop()
    if (!isDot) kept.push(segment)
    else if (index === segments.length - 1) kept.push('')
  }
  return `/${kept.join('/')}`
}
