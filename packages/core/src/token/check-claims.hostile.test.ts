import { describe, expect, test } from 'vitest'
import { confusionsOf } from '../../test/confusions.ts'
import type { JsonObject, JsonValue } from '../json/value.ts'
import { checkGrantClaims, checkTaskTokenClaims } from './check-claims.ts'

const now = 1_800_000_000
const issuer = 'https://broker.example'
const audience = 'https://orders.example'
const common: JsonObject = {
  iss: issuer,
  sub: 'bot',
  client_id: 'bot',
  iat: now - 10,
  exp: now + 50,
  jti: 'gr_1',
  txn: 'tsk_1',
  cnf: { jkt: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I' },
  'urn:hallpass:policy': { version: '1', digest: 'abc' },
  'urn:hallpass:path': { tasks: ['tsk_1'], agents: ['bot'], owner: 'team:a' },
}
const grant: JsonObject = {
  ...common,
  aud: audience,
  authorization_details: [
    {
      type: 'urn:hallpass:tool-call',
      locations: [audience],
      actions: ['refund.create'],
      identifier: 'order:1',
      parameter_digest: `sha-256:${'A'.repeat(43)}`,
      limits: [],
    },
  ],
  status: { status_list: { idx: 3, uri: 'https://broker.example/status/1' } },
}
const task: JsonObject = {
  ...common,
  aud: issuer,
  authorization_details: [{ type: 'urn:hallpass:task', purpose: 'a' }],
  'urn:hallpass:identity': { iss: 'https://idp.example', sub: 'x' },
}

/** Claims whose exact text is compared elsewhere (path, ledger): any other text is another name, and not malformed. */
const FREE_TEXT = new Set(['jti', 'sub of the identity', 'iss of the identity', 'version', 'digest', 'owner', 'uri'])

/** What comes out is as good a thumbprint, or as good an index: another one. */
const FAIR = new Set(['jkt: it in capitals', 'idx: milliseconds'])

type Place = readonly (string | number)[]
interface Case {
  readonly name: string
  readonly place: Place
  readonly reasons: readonly string[]
}

const claims = (...reasons: string[]): readonly string[] => ['token-claims', ...reasons]
const shared: readonly Case[] = [
  { name: 'iss', place: ['iss'], reasons: claims('issuer-unknown') },
  { name: 'aud', place: ['aud'], reasons: claims('audience-mismatch') },
  { name: 'sub', place: ['sub'], reasons: claims() },
  { name: 'client_id', place: ['client_id'], reasons: claims() },
  { name: 'jti', place: ['jti'], reasons: claims() },
  { name: 'txn', place: ['txn'], reasons: claims() },
  { name: 'iat', place: ['iat'], reasons: claims() },
  { name: 'exp', place: ['exp'], reasons: claims('lifetime-exceeded') },
  { name: 'jkt', place: ['cnf', 'jkt'], reasons: claims() },
  { name: 'version', place: ['urn:hallpass:policy', 'version'], reasons: claims() },
  { name: 'digest', place: ['urn:hallpass:policy', 'digest'], reasons: claims() },
  { name: 'task of the path', place: ['urn:hallpass:path', 'tasks', 0], reasons: claims() },
  { name: 'agent of the path', place: ['urn:hallpass:path', 'agents', 0], reasons: claims() },
  { name: 'owner', place: ['urn:hallpass:path', 'owner'], reasons: claims() },
]
const ofGrant: readonly Case[] = [
  ...shared,
  { name: 'idx', place: ['status', 'status_list', 'idx'], reasons: claims() },
  { name: 'uri', place: ['status', 'status_list', 'uri'], reasons: claims() },
  { name: 'location', place: ['authorization_details', 0, 'locations', 0], reasons: claims('details-invalid') },
]
const ofTask: readonly Case[] = [
  ...shared,
  { name: 'iss of the identity', place: ['urn:hallpass:identity', 'iss'], reasons: claims() },
  { name: 'sub of the identity', place: ['urn:hallpass:identity', 'sub'], reasons: claims() },
]

type Members = Readonly<Record<string | number, JsonValue>>
const at = (value: JsonValue, place: Place): JsonValue =>
  place.reduce((part, name) => (part as Members)[name] ?? null, value)

function put(value: JsonValue, [name, ...rest]: Place, item: JsonValue): JsonValue {
  if (name === undefined) return item
  const members = value as Members
  const part = put(members[name] ?? null, rest, item)
  return Array.isArray(value) ? value.with(Number(name), part) : { ...members, [name]: part }
}

const rows = (token: JsonObject, cases: readonly Case[]) =>
  cases.flatMap(({ name, place, reasons }) => {
    const good = at(token, place)
    return confusionsOf(good)
      .filter(([title]) => !FAIR.has(`${name}: ${title}`))
      .filter(([, bad]) => !(FREE_TEXT.has(name) && typeof bad === 'string' && bad !== ''))
      .map(([title, bad]) => [`${name}: ${title}`, put(token, place, bad) as JsonObject, reasons] as const)
  })

const isRefusal = (answer: { readonly ok: boolean; readonly reason?: string }, reasons: readonly string[]) =>
  !answer.ok && reasons.includes(answer.reason ?? '')

const expectation = { issuer, now, skewSeconds: 5 }

describe('checkGrantClaims() does not take for a claim', () => {
  test('anything but it: the honest grant passes', () => {
    expect(checkGrantClaims(grant, { ...expectation, audience }).ok).toBe(true)
  })

  test.each(rows(grant, ofGrant))('%s', (_title, token, reasons) => {
    const answer = checkGrantClaims(token, { ...expectation, audience })
    expect([isRefusal(answer, reasons), answer]).toEqual([true, expect.anything()])
  })
})

describe('checkTaskTokenClaims() does not take for a claim', () => {
  test('anything but it: the honest task token passes', () => {
    expect(checkTaskTokenClaims(task, { ...expectation, audience: issuer }).ok).toBe(true)
  })

  test.each(rows(task, ofTask))('%s', (_title, token, reasons) => {
    const answer = checkTaskTokenClaims(token, { ...expectation, audience: issuer })
    expect([isRefusal(answer, reasons), answer]).toEqual([true, expect.anything()])
  })
})
