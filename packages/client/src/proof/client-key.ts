import type { MaybePromise } from '@hallpass/core'

/** Public half of a proof key, the members RFC 7638 hashes and no other. */
export interface ClientJwk {
  readonly kty: 'EC'
  readonly crv: 'P-256'
  readonly x: string
  readonly y: string
}

/** An ES256 key that can sign and cannot be exported: the private half never leaves the closure that made it. */
export interface ClientKey {
  readonly jwk: ClientJwk
  /** Compact JWS over `header` (already base64url) and `payload` (JSON text). At once on Node, later on WebCrypto. */
  sign(header: string, payload: string): MaybePromise<string>
}
