import { createBroker, privateKeySigner, signingKeys } from '@hallpass/broker'
import type { Broker } from '@hallpass/broker'
import { defineApi, memoryLedger, ok, oidc, privateKeyJwt, refuse, spiffe } from '@hallpass/core'
import type { JsonObject, JsonValue, Jwk, Result } from '@hallpass/core'
import { defaultTriggers, definePolicy } from '@hallpass/policy'
import { createLocalJWKSet, jwtVerify } from 'jose'
import type { JWTVerifyOptions } from 'jose'
import { KEYS } from '../keys.ts'
import type { KeyName } from '../keys.ts'
import { buildToken, makeRecipe } from '../mutate/token.ts'
import type { TokenRecipe } from '../mutate/token.ts'
import type { TokenKind } from '../strictness/evidence.ts'
import { joseReads, judgeToken } from './judge-token.ts'
import { ISSUER, NOW, WORDS } from './seed-tokens.ts'
import { defineTarget } from './target.ts'
import type { Target } from './target.ts'

const IDP = 'https://idp.example'
const SVID = 'spiffe://acme.example/bot'
const MAX_BYTES = 8192
const SKEW = 5
const ALL = ['ES256', 'ES384', 'ES512', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']
const USUAL = ['ES256', 'ES384', 'RS256', 'PS256', 'EdDSA', 'Ed25519']

const withId = (name: KeyName, more: object = {}): Jwk => ({ ...KEYS[name].jwk, kid: name, ...more })
const SETS = {
  own: { keys: [withId('issuer', { alg: 'ES256', use: 'sig' })] },
  oidc: {
    keys: [withId('issuer', { use: 'sig' }), withId('rs256', { use: 'sig' }), withId('stranger', { use: 'enc' })],
  },
  svid: { keys: [withId('issuer', { use: 'jwt-svid' }), withId('stranger', { use: 'x509-svid' })] },
} as const

let broker: Broker | undefined

/** A broker that knows one workload of each kind, keeps nothing, and is asked nothing but who somebody is. */
function theBroker(): Broker {
  if (broker !== undefined) return broker
  const api = defineApi({
    audience: 'https://orders.example',
    actions: { 'order.read': { route: 'GET /orders/{id}', resource: 'order:{id}', risk: 'read' } },
  })
  const agent = { owner: 'team:a', approvers: ['group:a'] as const, revokeOn: defaultTriggers }
  broker = createBroker({
    issuer: ISSUER,
    policy: definePolicy({
      api,
      version: '1',
      purposes: ['test'],
      agents: {
        'own-bot': { ...agent, identity: privateKeyJwt({ audience: ISSUER, subject: 'own-bot', jwks: SETS.own }) },
        'oidc-bot': {
          ...agent,
          identity: oidc({
            issuer: IDP,
            audience: ISSUER,
            subject: 'bot',
            claims: { env: 'prod', attempt: 1 },
            jwks: SETS.oidc,
          }),
        },
        'spiffe-bot': { ...agent, identity: spiffe({ id: SVID, audience: ISSUER, bundle: SETS.svid }) },
      },
      rules: [{ id: 'read', action: 'order.read', effect: 'permit' }],
    }),
    ledger: memoryLedger({ exactFor: 'one-process', clock: () => NOW }),
    keys: signingKeys({ current: privateKeySigner(KEYS.holder.privateJwk, 'broker') }),
    audit: { append: async () => undefined } as unknown as Parameters<typeof createBroker>[0]['audit'],
    sweepSeconds: 0,
    rates: { unproven: 'unlimited' },
    clock: () => NOW,
  })
  return broker
}

interface Kind {
  readonly name: string
  readonly type: 'jwt-bearer' | 'jwt-spiffe'
  readonly set: { readonly keys: readonly Jwk[] }
  readonly header: JsonObject
  readonly payload: JsonObject
  readonly signers: readonly KeyName[]
  readonly typ: readonly string[]
  readonly onlyHeader?: readonly string[]
  readonly maxLife: number
  readonly audienceList: boolean
  readonly options: JWTVerifyOptions
  /** What jose leaves to its user. */
  readonly claims: JsonObject
}

const times = { iat: NOW - 5, exp: NOW + 300 }
const KINDS: readonly Kind[] = [
  {
    name: 'private-key-jwt',
    type: 'jwt-bearer',
    set: SETS.own,
    header: { alg: 'ES256', kid: 'issuer', typ: 'JWT' },
    payload: { iss: 'own-bot', sub: 'own-bot', aud: ISSUER, jti: 'a', ...times },
    signers: ['issuer'],
    typ: ['', 'JWT', 'client-authentication+jwt'],
    maxLife: 600,
    audienceList: false,
    options: { algorithms: USUAL, issuer: 'own-bot', subject: 'own-bot' },
    claims: {},
  },
  {
    name: 'oidc',
    type: 'jwt-bearer',
    set: SETS.oidc,
    header: { alg: 'ES256', kid: 'issuer' },
    payload: { iss: IDP, sub: 'bot', aud: [ISSUER], env: 'prod', attempt: 1, ...times },
    signers: ['issuer', 'rs256'],
    typ: ['', 'JWT', 'at+jwt', 'application/at+jwt'],
    maxLife: 24 * 3600,
    audienceList: true,
    options: { algorithms: USUAL, issuer: IDP, subject: 'bot' },
    claims: { env: 'prod', attempt: 1 },
  },
  {
    name: 'jwt-svid',
    type: 'jwt-spiffe',
    set: SETS.svid,
    header: { alg: 'ES256', kid: 'issuer', typ: 'JWT' },
    payload: { sub: SVID, aud: ISSUER, ...times },
    signers: ['issuer'],
    typ: ['', 'JWT', 'JOSE'],
    onlyHeader: ['alg', 'kid', 'typ'],
    maxLife: 3600,
    audienceList: true,
    options: { algorithms: ALL, subject: SVID },
    claims: {},
  },
]

function issuesOf(kind: Kind, payload: unknown, header: JsonObject): string[] {
  const { iat, exp, nbf, aud, jti, cnf } = payload as Readonly<Record<string, unknown>>
  const issues: string[] = []
  for (const [name, date] of Object.entries({ iat, exp, nbf })) {
    if (date !== undefined && !(typeof date === 'number' && date >= 0 && date <= 253402300799)) issues.push(name)
  }
  if (typeof exp === 'number' && exp <= NOW) issues.push('exp-passed')
  if (typeof iat === 'number' && iat > NOW + SKEW) issues.push('iat')
  if (typeof exp === 'number' && exp - NOW > kind.maxLife) issues.push('lifetime')
  if (typeof iat === 'number' && NOW - iat > kind.maxLife) issues.push('lifetime')
  const alone = kind.audienceList && Array.isArray(aud) && aud.length === 1 ? (aud as readonly unknown[])[0] : aud
  if (alone !== ISSUER) issues.push('aud')
  if (jti !== undefined && (typeof jti !== 'string' || jti === '' || jti.length > 1024)) issues.push('jti')
  if (cnf !== undefined && !isConfirmation(cnf)) issues.push('cnf')
  const key = kind.set.keys.find(({ kid }) => kid === header['kid'])
  if (Object.hasOwn(header, 'kid') && key === undefined) issues.push('kid')
  return issues
}

const isConfirmation = (cnf: unknown): boolean =>
  typeof cnf === 'object' &&
  cnf !== null &&
  Object.keys(cnf).join() === 'jkt' &&
  typeof (cnf as { jkt?: unknown }).jkt === 'string'

/** 200 for a token nobody knows, by an agent that was recognised: `/revoke` does nothing else then. */
async function ours(kind: Kind, assertion: string): Promise<Result<unknown>> {
  const form = new URLSearchParams({
    token: 'unknown',
    client_assertion_type: `urn:ietf:params:oauth:client-assertion-type:${kind.type}`,
    client_assertion: assertion,
  })
  const request = new Request(`${ISSUER}/revoke`, { method: 'POST', body: form })
  const { status } = await theBroker().fetch(request)
  if (status === 200) return ok(true)
  if (status === 401 || status === 400) return refuse('identity-invalid')
  throw new TypeError(`answered ${status}`)
}

function judge(kind: Kind, token: string): Promise<unknown> {
  const keys = {
    keys: kind.set.keys.filter(({ use }) => use !== 'enc' && use !== 'x509-svid').map(({ use: _use, ...key }) => key),
  }
  const choose = createLocalJWKSet(keys)
  return joseReads(async () => {
    const { payload } = await jwtVerify(token, choose, {
      ...kind.options,
      audience: ISSUER,
      requiredClaims: ['exp', 'sub', 'aud'],
      clockTolerance: SKEW,
      currentDate: new Date(NOW * 1000),
    })
    if (Object.entries(kind.claims).some(([name, value]) => payload[name] !== value)) throw new Error('claims')
    return true
  })
}

const words = {
  now: NOW,
  names: [...WORDS.names, 'env', 'attempt', 'x5t#S256'],
  values: [
    ...WORDS.values,
    IDP,
    SVID,
    'spiffe://acme.example/bot/',
    'spiffe://ACME.example/bot',
    'own-bot',
    'bot',
    `${ISSUER}/token`,
    [ISSUER],
    [ISSUER, ISSUER],
    'issuer',
    'rs256',
    'stranger',
    'RS256',
    'prod',
    1,
    '1',
    NOW + 601,
    NOW + 3601,
    NOW + 86401,
  ] as readonly JsonValue[],
}

function assertionTarget(kind: Kind): Target {
  return defineTarget<TokenRecipe>({
    name: kind.name,
    about: `a client assertion (${kind.name}) at the broker's door, against jose.jwtVerify with createLocalJWKSet`,
    make(random) {
      const key = random.pick(kind.signers)
      const header = { ...kind.header, kid: key, alg: KEYS[key].alg }
      return makeRecipe(random, { header, payload: kind.payload, key, words })
    },
    judge(recipe) {
      const token = buildToken(recipe)
      const tokenKind: TokenKind = {
        name: 'assertion',
        maxBytes: MAX_BYTES,
        typ: kind.typ,
        allowsJwk: false,
        ...(kind.onlyHeader === undefined ? {} : { onlyHeader: kind.onlyHeader }),
        profile: (payload) => issuesOf(kind, payload, headerOf(token)),
      }
      return judgeToken({ token, kind: tokenKind, ours: () => ours(kind, token), judge: () => judge(kind, token) })
    },
  })
}

function headerOf(token: string): JsonObject {
  try {
    const header: unknown = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString())
    return typeof header === 'object' && header !== null ? (header as JsonObject) : {}
  } catch {
    return {}
  }
}

export const assertionTargets: readonly Target[] = KINDS.map(assertionTarget)
