import type { JsonObject } from '../json/value.ts'

/** JSON Web Key as data. */
export type Jwk = { readonly kty: string; readonly kid?: string; readonly alg?: string; readonly use?: string } & {
  readonly [member: string]: unknown
}
export interface JwkSet {
  readonly keys: readonly Jwk[]
}

interface IdentityBase {
  /** How many keys one assertion may bind; default 1, every key is on record. */
  readonly keysPerAssertion?: number
}

/** OIDC workload token from one pinned issuer, presented as an RFC 7523 client assertion. */
export interface OidcIdentity extends IdentityBase {
  readonly kind: 'oidc'
  readonly issuer: string
  /** The `aud` the token must carry alone; by default the broker's issuer identifier is required by the broker. */
  readonly audience: string
  /** Exact `sub`. */
  readonly subject: string
  /** Claims that must be there with exactly these values. */
  readonly claims?: Readonly<Record<string, string | number | boolean>>
  /** Pinned key set; without it discovery and the issuer's JWKS are used. */
  readonly jwks?: JwkSet
  readonly algorithms?: readonly string[]
}

/** SPIFFE JWT-SVID, keys from the trust domain's bundle only. */
export interface SpiffeIdentity extends IdentityBase {
  readonly kind: 'spiffe'
  /** Exact SPIFFE ID. */
  readonly id: string
  readonly audience: string
  /** Bundle as data, or an https URL of a bundle endpoint. */
  readonly bundle: JwkSet | string
  readonly algorithms?: readonly string[]
}

/** `private_key_jwt` (RFC 7523): the agent signs its own assertion with a registered key. */
export interface PrivateKeyJwtIdentity extends IdentityBase {
  readonly kind: 'private_key_jwt'
  readonly audience: string
  /** Exact `iss` and `sub` of the assertion: the agent's id unless said otherwise. */
  readonly subject: string
  readonly jwks: JwkSet
}

export type WorkloadIdentity = OidcIdentity | SpiffeIdentity | PrivateKeyJwtIdentity

/** What the broker knows of a workload once its assertion was verified. */
export interface VerifiedIdentity {
  readonly kind: WorkloadIdentity['kind']
  readonly iss: string
  readonly sub: string
  readonly claims: JsonObject
  /** Digest that names this assertion in the ledger, never the assertion. */
  readonly assertion: string
  readonly exp: number
}

/** How a workload obtains its assertion at the moment it is needed. */
export interface TokenSource {
  readonly type: 'jwt-bearer' | 'jwt-spiffe'
  /** The client_id to send; the broker maps it to a registered agent or API. */
  readonly clientId: string
  /** A fresh assertion for this audience (the broker's issuer identifier). */
  assertion(audience: string): Promise<string>
}
