import { isJsonObject, ok, parseStrictJson, refuse, type JsonObject, type Result } from '@hallpass/core'

export type Fetch = (input: string, init: RequestInit) => Promise<Response>

const TIMEOUT_MS = 3000
const MAX_DOCUMENT_BYTES = 256 * 1024

/**
 * Fetches a JSON object, such as a key set, from a configured place.
 * https, or http on loopback; no redirect is followed; three seconds for everything; strict JSON.
 * The caller's `url` must come from configuration or from a document of the pinned issuer, never from a token.
 */
export async function fetchDocument(fetch: Fetch, url: string): Promise<Result<JsonObject, 'keys-unavailable'>> {
  if (!isFetchable(url)) return refuse('keys-unavailable', 'the address is neither https nor http on loopback')
  const abort = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      abort.abort()
      reject(new Error('timeout'))
    }, TIMEOUT_MS)
  })
  try {
    return await Promise.race([load(fetch, url, abort.signal), timeout])
  } catch {
    return refuse('keys-unavailable', 'no usable answer came in time')
  } finally {
    clearTimeout(timer)
  }
}

async function load(fetch: Fetch, url: string, signal: AbortSignal): Promise<Result<JsonObject, 'keys-unavailable'>> {
  const response = await fetch(url, { redirect: 'error', signal, headers: { accept: 'application/json' } })
  if (response.status !== 200 || response.redirected || response.body === null) {
    return refuse('keys-unavailable', 'the answer was not 200')
  }
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength
    if (size > MAX_DOCUMENT_BYTES) return refuse('keys-unavailable', 'the answer was too large')
    chunks.push(chunk)
  }
  const parsed = parseStrictJson(Buffer.concat(chunks))
  if (!parsed.ok || !isJsonObject(parsed.value)) return refuse('keys-unavailable', 'the answer was not a JSON object')
  return ok(parsed.value)
}

const LOOPBACK = /^(localhost|127\.0\.0\.1|\[::1\])$/

/** https anywhere, http on loopback only; no user info, no fragment. */
export function isFetchable(url: string): boolean {
  if (!URL.canParse(url)) return false
  const { protocol, hostname, username, password, hash } = new URL(url)
  if (username !== '' || password !== '' || hash !== '') return false
  return protocol === 'https:' || (protocol === 'http:' && LOOPBACK.test(hostname))
}
