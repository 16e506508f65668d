import { deflateSync } from 'node:zlib'
import { createBroker, privateKeySigner, signingKeys } from '@hallpass/broker'
import {
  checkGrantClaims,
  checkStatusListClaims,
  checkTaskTokenClaims,
  decodeStatusList,
  defineApi,
  importVerifyKey,
  memoryLedger,
  memoryTrail,
  oidc,
  ok,
  preflight,
  privateKeyJwt,
  refuse,
  spiffe,
  verifyProof,
  verifySignature,
} from '@hallpass/core'
import type { JsonObject, JsonValue, ReadToken, RefusalReason, Result } from '@hallpass/core'
import { defaultTriggers, definePolicy } from '@hallpass/policy'
import { describe, expect, test } from 'vitest'
import { signJws, testKey } from '../key/test-key.ts'
import { bareJwk } from '../wire/make-proof.ts'
import { jwsGames } from '../../test/jws-games.ts'
import type { JwsSeed } from '../../test/jws-games.ts'

const NOW = 1_800_000_000
const BROKER = 'https://broker.test'
const AUDIENCE = 'https://orders.test'
const LIST = 'https://broker.test/status/1'
const key = testKey('k1')

/** One kind of token: a good one, and what reads it. */
interface Kind {
  readonly name: string
  readonly seed: JwsSeed
  readonly read: (token: string) => Promise<Result<unknown, RefusalReason>>
}

async function genuine(token: string, typ: string, maxBytes: number): Promise<Result<ReadToken, RefusalReason>> {
  const read = preflight(token, { typ: [typ], alg: ['ES256'], maxBytes })
  if (!read.ok) return read
  const imported = await importVerifyKey(key.publicJwk, 'ES256')
  const { signingInput, signature } = read.value
  const holds = imported.ok && (await verifySignature(imported.value, signingInput, signature))
  return holds ? read : refuse('token-signature')
}

const common = {
  iss: BROKER,
  sub: 'bot',
  client_id: 'bot',
  iat: NOW - 10,
  exp: NOW + 50,
  jti: 'gr_1',
  txn: 'tsk_1',
  cnf: { jkt: key.jkt },
  'urn:hallpass:policy': { version: '1', digest: 'a' },
  'urn:hallpass:path': { tasks: ['tsk_1'], agents: ['bot'], owner: 'team:a' },
}
const entry = {
  type: 'urn:hallpass:tool-call',
  locations: [AUDIENCE],
  actions: ['refund.create'],
  identifier: 'order:1',
  parameter_digest: `sha-256:${'A'.repeat(43)}`,
  limits: [],
}
const expectation = { issuer: BROKER, now: NOW, skewSeconds: 5 }

const kinds: readonly Kind[] = [
  {
    name: 'grant',
    seed: {
      header: { alg: 'ES256', typ: 'at+jwt', kid: 'k1' },
      payload: {
        ...common,
        aud: AUDIENCE,
        authorization_details: [entry],
        status: { status_list: { idx: 0, uri: LIST } },
      },
      key,
    },
    async read(token) {
      const read = await genuine(token, 'at+jwt', 8192)
      return read.ok ? checkGrantClaims(read.value.payload, { ...expectation, audience: AUDIENCE }) : read
    },
  },
  {
    name: 'task token',
    seed: {
      header: { alg: 'ES256', typ: 'at+jwt', kid: 'k1' },
      payload: {
        ...common,
        aud: BROKER,
        authorization_details: [{ type: 'urn:hallpass:task', purpose: 'a' }],
        'urn:hallpass:identity': { iss: 'https://idp.test', sub: 'x' },
      },
      key,
    },
    async read(token) {
      const read = await genuine(token, 'at+jwt', 8192)
      return read.ok ? checkTaskTokenClaims(read.value.payload, { ...expectation, audience: BROKER }) : read
    },
  },
  {
    name: 'proof',
    seed: {
      header: { alg: 'ES256', typ: 'dpop+jwt', jwk: bareJwk(key) as JsonValue },
      payload: { jti: 'a-jti-of-16-chars', htm: 'GET', htu: `${AUDIENCE}/orders/1`, iat: NOW },
      key,
    },
    read: async (token) => verifyProof(token, { method: 'GET', url: `${AUDIENCE}/orders/1`, now: NOW }),
  },
  {
    name: 'status list',
    seed: {
      header: { alg: 'ES256', typ: 'statuslist+jwt', kid: 'k1' },
      payload: {
        sub: LIST,
        iat: NOW - 10,
        status_list: { bits: 1, lst: deflateSync(Buffer.alloc(16)).toString('base64url') },
      },
      key,
    },
    async read(token) {
      const read = await genuine(token, 'statuslist+jwt', 1_500_000)
      if (!read.ok) return read
      const claims = checkStatusListClaims(read.value.payload, {
        uri: LIST,
        now: NOW,
        lastIat: undefined,
        maxStalenessSeconds: 60,
        skewSeconds: 5,
      })
      return claims.ok ? decodeStatusList(claims.value.lst) : claims
    },
  },
]

const rowsOf = (kind: string) =>
  jwsGames.filter(({ fairFor }) => fairFor?.includes(kind) !== true).map((game) => [game.id, game] as const)

test('every game has an id of its own', () => {
  expect(new Set(jwsGames.map(({ id }) => id)).size).toBe(jwsGames.length)
})

describe.each(kinds.map((kind) => [kind.name, kind] as const))('a %s', (name, { seed, read }) => {
  test('is taken as long as nothing is bent', async () => {
    expect(await read(signJws(seed.header, seed.payload, seed.key.privateKey))).toMatchObject({ ok: true })
  })

  test.each(rowsOf(name))('is refused: %s', async (_id, { play, reason }) => {
    const ofProof = reason === 'token-signature' ? 'proof-signature' : 'proof-malformed'
    expect(await read(play(seed))).toMatchObject({ ok: false, reason: name === 'proof' ? ofProof : reason })
  })
})

const own = (use: string): { readonly keys: readonly (typeof key.publicJwk)[] } => ({
  keys: [{ ...key.publicJwk, use }],
})
const svid = 'spiffe://acme.test/bot'

function broker() {
  const agent = { owner: 'team:a', approvers: ['group:a'] as const, revokeOn: defaultTriggers }
  const api = defineApi({
    audience: AUDIENCE,
    actions: { read: { route: 'GET /orders/{id}', resource: 'order:{id}', risk: 'read' } },
  })
  return createBroker({
    issuer: BROKER,
    policy: definePolicy({
      api,
      version: '1',
      purposes: ['a'],
      agents: {
        own: { ...agent, identity: privateKeyJwt({ audience: BROKER, subject: 'own', jwks: own('sig') }) },
        idp: {
          ...agent,
          identity: oidc({ issuer: 'https://idp.test', audience: BROKER, subject: 'idp', jwks: own('sig') }),
        },
        svid: { ...agent, identity: spiffe({ id: svid, audience: BROKER, bundle: own('jwt-svid') }) },
      },
      rules: [{ id: 'read', action: 'read', effect: 'permit' }],
    }),
    ledger: memoryLedger({ exactFor: 'one-process', clock: () => NOW }),
    keys: signingKeys({ current: privateKeySigner(testKey().privateJwk, 'b') }),
    audit: memoryTrail(),
    sweepSeconds: 0,
    clock: () => NOW,
  })
}

const times = { iat: NOW - 5, exp: NOW + 60 }
const assertions: readonly (readonly [name: string, type: string, payload: JsonObject])[] = [
  ['private_key_jwt', 'jwt-bearer', { iss: 'own', sub: 'own', aud: BROKER, ...times }],
  ['oidc', 'jwt-bearer', { iss: 'https://idp.test', sub: 'idp', aud: [BROKER], ...times }],
  ['jwt-svid', 'jwt-spiffe', { sub: svid, aud: BROKER, ...times }],
]

// The broker's answer is the same for every reason; assertion.test.ts beside its code names them.
describe.each(assertions)('an assertion (%s) at the door', (name, type, payload) => {
  const door = broker()
  const seed: JwsSeed = { header: { alg: 'ES256', typ: 'JWT', kid: 'k1' }, payload, key }
  /** RFC 7009: 200 for an unknown token, for whoever is recognised. */
  async function answer(assertion: string): Promise<Result<number>> {
    const body = new URLSearchParams({
      token: 'unknown',
      client_assertion_type: `urn:ietf:params:oauth:client-assertion-type:${type}`,
      client_assertion: assertion,
    })
    const response = await door.fetch(new Request(`${BROKER}/revoke`, { method: 'POST', body }))
    const { error } = (await response.json()) as { error?: string }
    return response.status === 200 ? ok(200) : refuse(error ?? 'none')
  }

  test('is taken as long as nothing is bent', async () => {
    expect(await answer(signJws(seed.header, payload, key.privateKey))).toEqual({ ok: true, value: 200 })
  })

  test.each(rowsOf(name))('is refused: %s', async (_id, { play }) => {
    expect(await answer(play(seed))).toEqual({ ok: false, reason: expect.stringMatching(/^invalid_(client|request)$/) })
  })
})
