import { hmacSha256Base64url } from '#crypto'
import { HallpassError } from '../fault.ts'
import { canonicalize } from '../json/canonicalize.ts'
import type { JsonValue } from '../json/value.ts'

const MIN_KEY_BYTES = 32

/** Names a value without telling it. */
export type Digester = (value: JsonValue) => string

/**
 * Makes the digests that events carry for parameters and facts: `hmac-sha-256:` and the base64url HMAC over RFC 8785
 * canonical JSON. Equal values are seen to be equal; who does not have the key cannot try values out, which a plain
 * hash of an amount or a name would allow.
 *
 * @param key at least 32 random bytes, copied; the same for every process whose digests are to be compared.
 * @throws HallpassError `configuration-invalid` when the key is shorter.
 */
export function createDigester(key: Uint8Array): Digester {
  if (!(key instanceof Uint8Array) || key.length < MIN_KEY_BYTES) {
    throw new HallpassError('configuration-invalid', `A digest key needs at least ${MIN_KEY_BYTES} random bytes`)
  }
  const own = Uint8Array.from(key)
  return (value) => `hmac-sha-256:${hmacSha256Base64url(own, canonicalize(value))}`
}
