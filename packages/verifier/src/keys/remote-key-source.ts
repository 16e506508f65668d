import type { JsonObject, JsonValue, Jwk } from '@hallpass/core'
import { HallpassError, isJsonObject, parseStrictJson } from '@hallpass/core'
import type { KeySource } from './cached-keys.ts'
import { readLimited } from '../body/read-limited.ts'
import { requireSecureUrl } from './secure-url.ts'

const TIMEOUT_MS = 3000
const MAX_METADATA_BYTES = 64 * 1024

export type Fetch = (input: string, init: RequestInit) => Promise<Response>

/**
 * The key set of a broker over HTTP: its RFC 8414 metadata first, whose `issuer` must be the configured one, then the
 * `jwks_uri` in it, on the issuer's own origin. Neither follows a redirect.
 */
export function remoteKeySource(issuer: string, fetch: Fetch): KeySource {
  const origin = requireSecureUrl(issuer, 'issuer').origin
  return {
    refreshSeconds: 300,
    staleSeconds: 900,
    coolDownSeconds: 30,
    retrySeconds: 1,
    async load() {
      const metadata = await getJson(fetch, metadataUrl(issuer))
      if (metadata['issuer'] !== issuer) throw unavailable('names another issuer in its metadata')
      const uri = metadata['jwks_uri']
      if (typeof uri !== 'string' || !URL.canParse(uri)) throw unavailable('names no jwks_uri')
      if (new URL(uri).origin !== origin) throw unavailable('keeps its keys on another origin')
      const set = await getJson(fetch, uri)
      if (!Array.isArray(set['keys'])) throw unavailable('has no key set')
      return { keys: (set['keys'] as readonly JsonValue[]).filter(isJwk) }
    },
  }
}

/** RFC 8414 section 3.1: the well-known segment goes between host and path. */
function metadataUrl(issuer: string): string {
  const url = new URL(issuer)
  const path = url.pathname === '/' ? '' : url.pathname
  return `${url.origin}/.well-known/oauth-authorization-server${path}`
}

async function getJson(fetch: Fetch, url: string): Promise<JsonObject> {
  const response = await fetch(url, {
    headers: { accept: 'application/json' },
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  })
  if (response.status !== 200) throw unavailable(`answered ${response.status}`)
  const bytes = await readLimited(response, MAX_METADATA_BYTES)
  if (bytes === undefined) throw unavailable('sent too much')
  const parsed = parseStrictJson(bytes)
  if (!parsed.ok || !isJsonObject(parsed.value)) throw unavailable('sent no JSON object')
  return parsed.value
}

const unavailable = (what: string) =>
  new HallpassError('broker-unavailable', `The issuer ${what}; check the issuer option`)

const isJwk = (value: JsonValue): value is JsonValue & Jwk =>
  isJsonObject(value) && ['kty', 'kid'].every((member) => typeof value[member] === 'string')
