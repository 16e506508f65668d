import { createHash } from 'node:crypto'
import { calculateJwkThumbprint, EmbeddedJWK, importJWK, jwtVerify } from 'jose'
import { expressjwt } from 'express-jwt'
import { auth } from 'express-oauth2-jwt-bearer'
import { createVerifier } from 'fast-jwt'
import type { BenchIssuer } from '../world/grant.ts'
import { AUDIENCE, ISSUER } from '../world/orders-api.ts'
import { expressLikeRequest, throughMiddleware } from './express-request.ts'

/** One request as a peer sees it. */
export interface Presented {
  readonly method: string
  /** Path on the audience. */
  readonly path: string
  readonly token: string
  readonly proof: string
}

/** How somebody else checks the same token; throws or rejects to refuse. */
export type TokenPeer = (request: Presented) => Promise<void> | void

const bearer = ({ method, path, token }: Presented) =>
  expressLikeRequest(method, path, { authorization: `Bearer ${token}` })
const dpop = ({ method, path, token, proof }: Presented) =>
  expressLikeRequest(method, path, { authorization: `DPoP ${token}`, dpop: proof })

const pemOf = (issuer: BenchIssuer): string => issuer.key.publicKey.export({ type: 'spki', format: 'pem' }).toString()

/** Signature, algorithm, issuer, audience, expiry. */
export function expressJwt(issuer: BenchIssuer): TokenPeer {
  const middleware = expressjwt({
    secret: issuer.key.publicKey,
    algorithms: ['ES256'],
    issuer: ISSUER,
    audience: AUDIENCE,
  })
  return (request) => throughMiddleware(middleware, bearer(request))
}

/** The same, and `at+jwt` strictly; the key is configured, nothing is fetched. */
export function oauth2JwtBearer(issuer: BenchIssuer): TokenPeer {
  const middleware = auth({ ...oauth2Options(issuer), dpop: { enabled: false } })
  return (request) => throughMiddleware(middleware, bearer(request))
}

/** The same, and RFC 9449; it remembers no `jti`. */
export function oauth2JwtBearerDpop(issuer: BenchIssuer): TokenPeer {
  const middleware = auth({ ...oauth2Options(issuer), dpop: { enabled: true, required: true } })
  return (request) => throughMiddleware(middleware, dpop(request))
}

function oauth2Options(issuer: BenchIssuer) {
  return {
    issuer: ISSUER,
    audience: AUDIENCE,
    publicKey: pemOf(issuer),
    tokenSigningAlg: 'ES256',
    strict: true,
  } as const
}

/** Signature, issuer, audience, expiry; `cache` keeps verified tokens under a hash of the token, as it comes. */
export function fastJwt(issuer: BenchIssuer, cache: boolean): TokenPeer {
  const verify = createVerifier({
    key: pemOf(issuer),
    algorithms: ['ES256'],
    allowedIss: ISSUER,
    allowedAud: AUDIENCE,
    cache,
  })
  return ({ token }) => void verify(token)
}

/** `jwtVerify` with an imported key. */
export async function joseBearer(issuer: BenchIssuer): Promise<TokenPeer> {
  const key = await importJWK({ ...issuer.key.jwk }, 'ES256')
  return async ({ token }) => void (await jwtVerify(token, key, { ...EXPECTED }))
}

const EXPECTED = { issuer: ISSUER, audience: AUDIENCE, typ: 'at+jwt', algorithms: ['ES256'] }

/** RFC 9449 section 4.3 written by hand on jose: both signatures and every claim, no replay memory. */
export async function joseDpop(issuer: BenchIssuer): Promise<TokenPeer> {
  const key = await importJWK({ ...issuer.key.jwk }, 'ES256')
  return async ({ method, path, token, proof }) => {
    const { payload } = await jwtVerify<{ cnf?: { jkt?: string } }>(token, key, { ...EXPECTED })
    const proven = await jwtVerify(proof, EmbeddedJWK, { typ: 'dpop+jwt', algorithms: ['ES256'], maxTokenAge: 60 })
    const { jwk } = proven.protectedHeader
    const { htm, htu, ath, jti } = proven.payload
    const holds =
      htm === method &&
      htu === AUDIENCE + path &&
      typeof jti === 'string' &&
      ath === createHash('sha256').update(token).digest('base64url') &&
      jwk !== undefined &&
      (await calculateJwkThumbprint(jwk)) === payload.cnf?.jkt
    if (!holds) throw new Error('The proof is not for this request.')
  }
}
