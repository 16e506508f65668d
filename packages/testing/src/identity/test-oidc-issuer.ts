import type { JwkSet, OidcIdentity } from '@hallpass/core'
import { oidc } from '@hallpass/core'
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { SignJWT } from 'jose'

export interface OidcTokenWish {
  readonly subject: string
  readonly audience: string | readonly string[]
  readonly claims?: Readonly<Record<string, unknown>>
  /** Seconds from now; negative for a token that is over. Default 300. */
  readonly lifeSeconds?: number
  /** Header members that replace or, when undefined, remove those of an honest token. */
  readonly header?: Readonly<Record<string, unknown>>
}

/** An OIDC issuer of workload tokens without a server: its discovery document and keys are behind `fetch`. */
export interface TestOidcIssuer {
  readonly issuer: string
  /** Signs a token, honest or not. */
  token(wish: OidcTokenWish): Promise<string>
  jwks(): Promise<JwkSet>
  /** The next tokens are signed by a new key; `forget` also takes the old one out of the key set. */
  rotate(options?: { readonly forget?: boolean }): void
  /** Answers `/.well-known/openid-configuration` and `/jwks`, and counts in `requests` what was asked. */
  fetch(input: string | URL | Request): Promise<Response>
  readonly requests: string[]
  /** What a policy registers for one subject of this issuer. */
  identity(subject: string, audience: string): OidcIdentity
}

const ALGORITHM = 'RS256'

// Through its encoding: exporting a key object that generateKeyPairSync returned can wait for itself for ever on Node 20.
function newRsaKey() {
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  return createPrivateKey(privateKey)
}

/** @param options.issuer an https URL; nothing is listened on. */
export function testOidcIssuer({ issuer, clock }: { issuer: string; clock: () => number }): TestOidcIssuer {
  const newKey = (kid: string) => ({ kid, privateKey: newRsaKey() })
  let keys = [newKey('oidc-1')]
  let made = 1
  const requests: string[] = []

  async function jwks(): Promise<JwkSet> {
    const published = keys.map(({ kid, privateKey }) => ({
      ...createPublicKey(privateKey).export({ format: 'jwk' }),
      kid,
      alg: ALGORITHM,
      use: 'sig',
    }))
    return { keys: published } as JwkSet
  }

  return {
    issuer,
    jwks,
    requests,
    async token({ subject, audience, claims, lifeSeconds = 300, header }) {
      const signer = keys.at(-1) ?? newKey('oidc-0')
      const now = Math.floor(clock())
      const payload = {
        iss: issuer,
        sub: subject,
        aud: typeof audience === 'string' ? audience : [...audience],
        iat: now,
        exp: now + lifeSeconds,
        ...claims,
      }
      return new SignJWT(payload)
        .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT', kid: signer.kid, ...header })
        .sign(signer.privateKey)
    },
    rotate({ forget = false } = {}) {
      made += 1
      keys = [...(forget ? [] : keys), newKey(`oidc-${made}`)]
    },
    async fetch(input) {
      const url = new URL(input instanceof Request ? input.url : input)
      requests.push(url.pathname)
      if (url.origin !== new URL(issuer).origin) return new Response(null, { status: 404 })
      if (url.pathname.endsWith('/jwks')) return Response.json(await jwks())
      if (!url.pathname.endsWith('/.well-known/openid-configuration')) return new Response(null, { status: 404 })
      return Response.json({ issuer, jwks_uri: `${issuer}/jwks`, id_token_signing_alg_values_supported: [ALGORITHM] })
    },
    identity: (subject, audience) => oidc({ issuer, audience, subject }),
  }
}
