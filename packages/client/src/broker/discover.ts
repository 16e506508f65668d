import type { JsonObject, JsonValue } from '@hallpass/core'
import { parseStrictJson } from '@hallpass/core'
import { secureUrl } from '../client/secure-url.ts'
import type { Refusal } from '../outcome/refusal.ts'
import { refusal } from '../outcome/refusal.ts'
import { asObject } from '../wire/json-object.ts'
import { readLimited } from '../wire/read-limited.ts'
import type { Fetch, Patience } from '../wire/send.ts'
import { within } from '../wire/send.ts'

export interface Endpoints {
  readonly ok: true
  readonly token: string
  readonly revocation: string
}

const MAX_METADATA_BYTES = 65_536

/** Where RFC 8414 section 3.1 puts the metadata of an issuer: the well-known part goes before its path. */
export function metadataUrl(issuer: string): string {
  const { origin, pathname } = new URL(issuer)
  return `${origin}/.well-known/oauth-authorization-server${pathname === '/' ? '' : pathname.replace(/\/$/, '')}`
}

/**
 * Reads the broker's metadata (RFC 8414). The issuer in it must be the one asked, and its endpoints on that origin.
 * What it does not check: who answers there; that is the work of TLS.
 */
export async function discover(issuer: string, fetch: Fetch, patience: Patience): Promise<Endpoints | Refusal> {
  const answer = await within(patience, async (signal) => {
    const request = new Request(metadataUrl(issuer), {
      headers: { accept: 'application/json' },
      redirect: 'manual',
      signal,
    })
    const response = await fetch(request)
    return { status: response.status, body: await readLimited(response, MAX_METADATA_BYTES) }
  })
  if (!answer.ok) return refusal('broker-unavailable')
  const { status, body } = answer.value
  if (status >= 500 || status === 429) return refusal('broker-unavailable')
  if (status !== 200 || body === undefined) return refusal('broker-answer-invalid')
  const parsed = parseStrictJson(body)
  const metadata = parsed.ok ? asObject(parsed.value) : undefined
  return metadata === undefined ? refusal('broker-answer-invalid') : endpointsOf(issuer, metadata)
}

function endpointsOf(issuer: string, metadata: JsonObject): Endpoints | Refusal {
  const token = endpoint(issuer, metadata['token_endpoint'])
  const revocation = endpoint(issuer, metadata['revocation_endpoint'])
  const algorithms = metadata['dpop_signing_alg_values_supported']
  const fits = metadata['issuer'] === issuer && Array.isArray(algorithms) && algorithms.includes('ES256')
  if (!fits || token === undefined || revocation === undefined) return refusal('broker-answer-invalid')
  return { ok: true, token, revocation }
}

function endpoint(issuer: string, value: JsonValue | undefined): string | undefined {
  if (typeof value !== 'string') return undefined
  const url = secureUrl(value)
  return url?.origin === new URL(issuer).origin ? url.href : undefined
}
