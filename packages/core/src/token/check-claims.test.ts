import { describe, expect, test } from 'vitest'
import type { JsonObject, JsonValue } from '../json/value.ts'
import { checkGrantClaims, checkTaskTokenClaims } from './check-claims.ts'

const now = 1800000000
const expectation = { issuer: 'https://broker.example', audience: 'https://orders.example', now, skewSeconds: 5 }
const jkt = '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I'
const common = {
  iss: expectation.issuer,
  sub: 'support-bot',
  client_id: 'support-bot',
  iat: now - 10,
  exp: now + 50,
  jti: 'gr_1',
  txn: 'tsk_1',
  cnf: { jkt },
  'urn:hallpass:policy': { version: '1', digest: 'abc' },
  'urn:hallpass:path': { tasks: ['tsk_1'], agents: ['support-bot'], owner: 'team:support' },
}
const entry = {
  type: 'urn:hallpass:tool-call',
  locations: [expectation.audience],
  actions: ['refund.create'],
  identifier: 'order:1',
  parameter_digest: `sha-256:${'A'.repeat(43)}`,
  limits: [],
}
const grant: JsonObject = {
  ...common,
  aud: expectation.audience,
  authorization_details: [entry],
  status: { status_list: { idx: 0, uri: 'https://broker.example/status/1' } },
}
const taskExpectation = { ...expectation, audience: expectation.issuer }
const taskToken: JsonObject = {
  ...common,
  aud: expectation.issuer,
  exp: now + 3600,
  authorization_details: [{ type: 'urn:hallpass:task', purpose: 'support-ticket' }],
  'urn:hallpass:identity': { iss: 'https://idp.example', sub: 'x', jkt },
}

const changed = (claims: JsonObject, change: Record<string, unknown>): JsonObject =>
  Object.fromEntries(Object.entries({ ...claims, ...change }).filter(([, value]) => value !== undefined)) as JsonObject
const path = common['urn:hallpass:path']

const refusedInBoth: [string, Record<string, unknown>, string][] = [
  ['another issuer', { iss: 'https://evil.example' }, 'issuer-unknown'],
  ['the issuer with a slash', { iss: `${expectation.issuer}/` }, 'issuer-unknown'],
  ['no issuer', { iss: undefined }, 'token-claims'],
  ['an issuer in a list', { iss: [expectation.issuer] }, 'token-claims'],
  ['another audience', { aud: 'https://other.example' }, 'audience-mismatch'],
  ['an audience in another case', { aud: 'https://ORDERS.example' }, 'audience-mismatch'],
  ['an audience in a list', { aud: [expectation.audience] }, 'token-claims'],
  ['two audiences', { aud: [expectation.audience, 'https://other.example'] }, 'token-claims'],
  ['no audience', { aud: undefined }, 'token-claims'],
  ['exp now', { exp: now }, 'token-expired'],
  ['exp a second ago, inside any skew', { exp: now - 1 }, 'token-expired'],
  ['no exp', { exp: undefined }, 'token-claims'],
  ['exp as text', { exp: String(now + 50) }, 'token-claims'],
  ['exp null', { exp: null }, 'token-claims'],
  ['exp in a list', { exp: [now + 50] }, 'token-claims'],
  ['exp beyond the year 9999', { exp: 253402300800 }, 'token-claims'],
  ['a negative iat', { iat: -1 }, 'token-claims'],
  ['no iat', { iat: undefined }, 'token-claims'],
  ['iat as text', { iat: String(now) }, 'token-claims'],
  ['iat ahead of the skew', { iat: now + 6 }, 'not-yet-valid'],
  ['iat after exp', { iat: now + 60, exp: now + 50 }, 'token-claims'],
  ['iat at exp', { iat: now + 50, exp: now + 50 }, 'token-claims'],
  ['nbf ahead of the skew', { nbf: now + 6 }, 'not-yet-valid'],
  ['nbf as text', { nbf: '0' }, 'token-claims'],
  ['nbf null', { nbf: null }, 'token-claims'],
  ['a longer life than allowed', { iat: 0 }, 'lifetime-exceeded'],
  ['no sub', { sub: undefined }, 'token-claims'],
  ['an empty sub', { sub: '' }, 'token-claims'],
  ['a sub of 513 characters', { sub: 'x'.repeat(513) }, 'token-claims'],
  ['an empty sub with an actor', { sub: '', act: { sub: 'support-bot', iss: expectation.issuer } }, 'token-claims'],
  [
    'an empty client_id everywhere',
    { sub: '', client_id: '', 'urn:hallpass:path': { ...path, agents: [''] } },
    'token-claims',
  ],
  [
    'an empty client_id of an actor',
    {
      sub: 'user-1',
      client_id: '',
      act: { sub: '', iss: expectation.issuer },
      'urn:hallpass:path': { ...path, agents: [''] },
    },
    'token-claims',
  ],
  ['an empty txn everywhere', { txn: '', 'urn:hallpass:path': { ...path, tasks: [''] } }, 'token-claims'],
  ['client_id as a number', { client_id: 1 }, 'token-claims'],
  ['no client_id', { client_id: undefined }, 'token-claims'],
  ['no jti', { jti: undefined }, 'token-claims'],
  ['a jti of 513 characters', { jti: 'x'.repeat(513) }, 'token-claims'],
  ['an empty jti', { jti: '' }, 'token-claims'],
  ['no txn', { txn: undefined }, 'token-claims'],
  ['a user without an actor', { sub: 'user-1' }, 'token-claims'],
  ['a user with another actor', { sub: 'user-1', act: { sub: 'other-bot', iss: expectation.issuer } }, 'token-claims'],
  [
    'a user with a nested actor',
    { sub: 'user-1', act: { sub: 'support-bot', iss: expectation.issuer, act: { sub: 'x', iss: 'y' } } },
    'token-claims',
  ],
  ['a user with an actor without subject', { sub: 'user-1', act: { iss: expectation.issuer } }, 'token-claims'],
  ['a user with an empty actor', { sub: 'user-1', act: {} }, 'token-claims'],
  ['an empty path', { 'urn:hallpass:path': {} }, 'token-claims'],
  ['a user with an actor without issuer', { sub: 'user-1', act: { sub: 'support-bot' } }, 'token-claims'],
  ['an actor where the agent is the subject', { act: { sub: 'support-bot', iss: expectation.issuer } }, 'token-claims'],
  ['cnf with two members', { cnf: { jkt, 'x5t#S256': 'a' } }, 'token-claims'],
  ['cnf with another member', { cnf: { 'x5t#S256': jkt } }, 'token-claims'],
  ['cnf with a key', { cnf: { jwk: {} } }, 'token-claims'],
  ['an empty cnf', { cnf: {} }, 'token-claims'],
  ['cnf null', { cnf: null }, 'token-claims'],
  ['a short jkt', { cnf: { jkt: 'abc' } }, 'token-claims'],
  ['jkt in a list', { cnf: { jkt: [jkt] } }, 'token-claims'],
  ['no policy', { 'urn:hallpass:policy': undefined }, 'token-claims'],
  ['a policy without version', { 'urn:hallpass:policy': { digest: 'abc' } }, 'token-claims'],
  ['a policy that is text', { 'urn:hallpass:policy': 'abc' }, 'token-claims'],
  ['a path that is text', { 'urn:hallpass:path': 'abc' }, 'token-claims'],
  ['a path without agents', { 'urn:hallpass:path': { tasks: ['tsk_1'], owner: 'team:support' } }, 'token-claims'],
  ['a path of text for a list', { 'urn:hallpass:path': { ...path, tasks: 'tsk_1' } }, 'token-claims'],
  ['a path of two agents', { 'urn:hallpass:path': { ...path, agents: ['support-bot', 'x'] } }, 'token-claims'],
  ['an empty txn', { txn: '' }, 'token-claims'],
  ['an empty client_id', { client_id: '' }, 'token-claims'],
  ['an empty audience', { aud: '' }, 'token-claims'],
  ['a negative nbf', { nbf: -1 }, 'token-claims'],
  ['a policy without digest', { 'urn:hallpass:policy': { version: '1' } }, 'token-claims'],
  ['no path', { 'urn:hallpass:path': undefined }, 'token-claims'],
  ['a path of another task', { 'urn:hallpass:path': { ...path, tasks: ['tsk_2'] } }, 'token-claims'],
  ['a path of two tasks', { 'urn:hallpass:path': { ...path, tasks: ['tsk_1', 'tsk_2'] } }, 'token-claims'],
  ['a path of another agent', { 'urn:hallpass:path': { ...path, agents: ['other-bot'] } }, 'token-claims'],
  ['a path of no agent', { 'urn:hallpass:path': { ...path, agents: [] } }, 'token-claims'],
  ['a path without owner', { 'urn:hallpass:path': { ...path, owner: '' } }, 'token-claims'],
  ['a path with one member more', { 'urn:hallpass:path': { ...path, depth: 1 } }, 'token-claims'],
  ['no entry', { authorization_details: [] }, 'token-claims'],
  ['no entries', { authorization_details: undefined }, 'token-claims'],
  ['an entry that is not in a list', { authorization_details: entry }, 'token-claims'],
  ['two entries', { authorization_details: [entry, entry] }, 'token-claims'],
  ['an entry of another type', { authorization_details: [{ type: 'payment' }] }, 'details-invalid'],
]

describe('checkGrantClaims()', () => {
  test.each<[string, Record<string, unknown>]>([
    ['as issued', {}],
    ['unbound, where the API takes that', { cnf: undefined }],
    ['for a user', { sub: 'user-1', act: { sub: 'support-bot', iss: expectation.issuer } }],
    ['issued a skew ahead', { iat: now + 5 }],
    ['valid from a skew ahead', { nbf: now + 5 }],
    ['in its last second', { exp: now + 0.001 }],
    ['of the longest life', { iat: now, exp: now + 900 }],
    ['with a scope, which gives nothing', { scope: 'admin' }],
    ['with an id of 512 characters', { jti: 'x'.repeat(512) }],
    ['at the largest index', { status: { status_list: { idx: Number.MAX_SAFE_INTEGER, uri: 'https://a.example' } } }],
  ])('takes one %s, and returns the payload', (_name, change) => {
    const claims = changed(grant, change)
    const checked = checkGrantClaims(claims, expectation)
    expect(checked).toEqual({ ok: true, value: claims })
  })

  test.each<[string, Record<string, unknown>, string]>([
    ...refusedInBoth,
    ['a life of 901 seconds', { iat: now, exp: now + 901 }, 'lifetime-exceeded'],
    ['no status', { status: undefined }, 'token-claims'],
    ['a status with another mechanism', { status: { token_introspection: {} } }, 'token-claims'],
    [
      'a status of two mechanisms',
      { status: { status_list: { idx: 0, uri: 'https://a.example' }, other: {} } },
      'token-claims',
    ],
    ['a negative index', { status: { status_list: { idx: -1, uri: 'https://a.example' } } }, 'token-claims'],
    [
      'an index that is a fraction',
      { status: { status_list: { idx: 0.5, uri: 'https://a.example' } } },
      'token-claims',
    ],
    ['an index beyond 2^53', { status: { status_list: { idx: 2 ** 53, uri: 'https://a.example' } } }, 'token-claims'],
    [
      'a member more in its status list',
      { status: { status_list: { idx: 0, uri: 'https://a.example', more: 1 } } },
      'token-claims',
    ],
    ['a status list that is a list', { status: { status_list: [0, 'https://a.example'] } }, 'token-claims'],
    ['an index as text', { status: { status_list: { idx: '0', uri: 'https://a.example' } } }, 'token-claims'],
    ['no index', { status: { status_list: { uri: 'https://a.example' } } }, 'token-claims'],
    ['an empty status', { status: {} }, 'token-claims'],
    ['an empty status list', { status: { status_list: {} } }, 'token-claims'],
    ['no status URI', { status: { status_list: { idx: 0 } } }, 'token-claims'],
    [
      'an entry for another audience',
      { authorization_details: [{ ...entry, locations: ['https://other.example'] }] },
      'token-claims',
    ],
    ['an entry with an unknown member', { authorization_details: [{ ...entry, all: true }] }, 'details-invalid'],
    [
      'an unknown constraint',
      { authorization_details: [{ ...entry, parameter_digest: undefined, constraints: { a: { regex: '.' } } }] },
      'constraint-unknown',
    ],
    [
      'the entry of a task',
      { authorization_details: [{ type: 'urn:hallpass:task', purpose: 'a' }] },
      'details-invalid',
    ],
  ])('refuses one with %s', (_name, change, reason) => {
    expect(checkGrantClaims(changed(grant, change), expectation)).toMatchObject({ ok: false, reason })
  })

  test.each([Number.NaN, Number.POSITIVE_INFINITY, undefined as unknown as number])(
    'refuses where the clock says %s',
    (broken) => {
      expect(checkGrantClaims(grant, { ...expectation, now: broken }).ok).toBe(false)
    },
  )

  test.each<[string, number, Record<string, unknown>]>([
    ['in 1970', 1, { iat: 0, exp: 2, nbf: 0 }],
    ['at the end of the year 9999', 253402300798, { iat: 253402300797, exp: 253402300799 }],
  ])('takes one %s', (_name, then, change) => {
    expect(checkGrantClaims(changed(grant, change), { ...expectation, now: then }).ok).toBe(true)
  })

  test('takes no larger skew than 30 seconds', () => {
    expect(checkGrantClaims(changed(grant, { iat: now + 30 }), { ...expectation, skewSeconds: 3600 }).ok).toBe(true)
    expect(checkGrantClaims(changed(grant, { iat: now + 31 }), { ...expectation, skewSeconds: 3600 })).toMatchObject({
      reason: 'not-yet-valid',
    })
    expect(checkGrantClaims(grant, { ...expectation, skewSeconds: Number.NaN }).ok).toBe(false)
  })

  test('refuses a task token', () => {
    expect(checkGrantClaims(taskToken, taskExpectation).ok).toBe(false)
  })

  test('reads nothing from a prototype', () => {
    const inherited = Object.create(grant) as Record<string, JsonValue>
    expect(
      checkGrantClaims(Object.assign(inherited, { status: undefined as unknown as JsonValue }), expectation).ok,
    ).toBe(false)
  })
})

describe('checkTaskTokenClaims()', () => {
  test('takes one of the longest life', () => {
    const claims = changed(taskToken, { iat: now - 1, exp: now + 86399 })
    expect(checkTaskTokenClaims(claims, taskExpectation)).toEqual({ ok: true, value: claims })
  })

  test('takes one, and returns the payload', () => {
    expect(checkTaskTokenClaims(taskToken, taskExpectation)).toEqual({ ok: true, value: taskToken })
  })

  test.each<[string, Record<string, unknown>, string]>([
    ...refusedInBoth,
    ['no cnf', { cnf: undefined }, 'token-claims'],
    ['no identity', { 'urn:hallpass:identity': undefined }, 'token-claims'],
    ['an identity without issuer', { 'urn:hallpass:identity': { sub: 'x' } }, 'token-claims'],
    ['an identity that is text', { 'urn:hallpass:identity': 'x' }, 'token-claims'],
    ['an identity without subject', { 'urn:hallpass:identity': { iss: 'https://idp.example' } }, 'token-claims'],
    ['a life beyond a day', { iat: now - 1, exp: now + 86400 }, 'lifetime-exceeded'],
    ['the entry of a grant', { authorization_details: [entry] }, 'details-invalid'],
  ])('refuses one with %s', (_name, change, reason) => {
    const given = Object.hasOwn(change, 'aud') && change['aud'] === expectation.audience ? {} : change
    expect(checkTaskTokenClaims(changed(taskToken, given), taskExpectation)).toMatchObject({ ok: false, reason })
  })

  test('refuses a grant', () => {
    expect(checkTaskTokenClaims(grant, expectation).ok).toBe(false)
  })
})
