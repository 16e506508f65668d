import type { KeyObject } from 'node:crypto'
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, randomUUID, sign } from 'node:crypto'
import type { Jwk, JwkSet, Limit, ToolCallEntry } from '@hallpass/core'
import { CLAIM, DETAIL_TYPE, jwkThumbprint, parameterDigest } from '@hallpass/core'

export const ISSUER = 'https://broker.example'
export const AUDIENCE = 'https://orders.example'
/** The instant every fixed clock of these tests stands at. */
export const NOW = 1_795_296_060

const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

/** A compact JWS over exactly these texts or objects. */
export function signJws(header: unknown, payload: unknown, key: KeyObject): string {
  const input = `${encode(header)}.${encode(payload)}`
  return `${input}.${sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}

export interface KeyPair {
  readonly publicJwk: Jwk
  readonly privateKey: KeyObject
  readonly jkt: string
}

export function newKeyPair(): KeyPair {
  // Through its encoding: exporting a key object that generateKeyPairSync returned can wait for itself for ever on Node 20.
  const encoded = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  const privateKey = createPrivateKey(encoded.privateKey)
  const publicKey = createPublicKey(privateKey)
  const publicJwk = publicKey.export({ format: 'jwk' }) as Jwk
  return { publicJwk, privateKey, jkt: jwkThumbprint(publicJwk) }
}

export interface GrantWish {
  readonly action?: string
  readonly resource?: string
  /** What the digest is made of; ignored where there are constraints. */
  readonly parameters?: Record<string, never> | Record<string, string>
  readonly constraints?: ToolCallEntry['constraints']
  readonly limits?: readonly Limit[]
  /** Members that replace or, when undefined, remove claims. */
  readonly claims?: Record<string, unknown>
  readonly header?: Record<string, unknown>
  readonly entry?: Record<string, unknown>
  /** No `cnf`. */
  readonly unbound?: boolean
}

export interface ProofWish {
  readonly method?: string
  readonly url?: string
  readonly token?: string
  readonly body?: string | undefined
  readonly query?: string | undefined
  readonly claims?: Record<string, unknown>
  readonly header?: Record<string, unknown>
  /** Signs with another key than the header names. */
  readonly signWith?: KeyObject
}

const without = (members: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))

const digest = (data: string): string => `sha-256=:${createHash('sha256').update(data).digest('base64')}:`

/** Issues grants and proofs the way broker and client do, and every way they would not. */
export function createTestIssuer({ issuer = ISSUER, audience = AUDIENCE, now = NOW } = {}) {
  const signing = newKeyPair()
  const holder = newKeyPair()
  let kid = 'key-1'
  let keys: Jwk[] = [{ ...signing.publicJwk, kid, alg: 'ES256', use: 'sig' }]

  const grantClaims = (wish: GrantWish = {}): Record<string, unknown> => {
    const limits = wish.limits ?? [{ id: 'calls', per: 'grant', max: 1 }]
    const fixed =
      wish.constraints === undefined
        ? { parameter_digest: parameterDigest(wish.parameters ?? {}) }
        : { constraints: wish.constraints }
    const entry = {
      type: DETAIL_TYPE.toolCall,
      locations: [audience],
      actions: [wish.action ?? 'order.read'],
      identifier: wish.resource ?? 'order:123',
      ...fixed,
      limits,
      ...wish.entry,
    }
    const txn = 'tsk_1'
    return without({
      iss: issuer,
      sub: 'support-bot',
      aud: audience,
      client_id: 'support-bot',
      iat: now - 5,
      exp: now + 55,
      jti: `gr_${randomUUID()}`,
      txn,
      cnf: wish.unbound === true ? undefined : { jkt: holder.jkt },
      authorization_details: [entry],
      status: { status_list: { idx: 1, uri: `${issuer}/status/1` } },
      [CLAIM.policy]: { version: '1', digest: 'sha-256:policy' },
      [CLAIM.path]: { tasks: [txn], agents: ['support-bot'], owner: 'team:support' },
      ...wish.claims,
    })
  }

  return {
    issuer,
    audience,
    holder,
    signing,
    jwks: (): JwkSet => ({ keys }),
    setKeys: (next: Jwk[]) => {
      keys = next
    },
    /** Replaces the signing key's id, so that the next grants name a key the set may not have. */
    setKid: (next: string) => {
      kid = next
    },
    grantClaims,
    grant: (wish: GrantWish = {}): string =>
      signJws(without({ typ: 'at+jwt', alg: 'ES256', kid, ...wish.header }), grantClaims(wish), signing.privateKey),
    proof: (wish: ProofWish, by: KeyPair = holder): string => {
      const { method = 'GET', url = `${audience}/orders/123`, token, body, query } = wish
      const header = without({ typ: 'dpop+jwt', alg: 'ES256', jwk: by.publicJwk, ...wish.header })
      const payload = without({
        jti: randomUUID(),
        htm: method,
        htu: url,
        iat: now,
        ath: token === undefined ? undefined : createHash('sha256').update(token).digest('base64url'),
        content_digest: body === undefined ? undefined : digest(body),
        query_digest: query === undefined || query === '' ? undefined : digest(query),
        ...wish.claims,
      })
      return signJws(header, payload, wish.signWith ?? by.privateKey)
    },
  }
}

export type TestIssuer = ReturnType<typeof createTestIssuer>
