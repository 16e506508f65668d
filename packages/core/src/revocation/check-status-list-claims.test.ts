import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../json/value.ts'
import type { StatusListExpectation } from './check-status-list-claims.ts'
import { checkStatusListClaims } from './check-status-list-claims.ts'

const NOW = 1_700_000_000
const URI = 'https://broker.example/status/mem_1-0-0'
const good: JsonObject = {
  sub: URI,
  iat: NOW - 10,
  exp: NOW + 50,
  ttl: 15,
  status_list: { bits: 1, lst: 'eNrbuRgAAhcBXQ' },
}
const expectation: StatusListExpectation = {
  uri: URI,
  issuer: 'https://broker.example',
  now: NOW,
  lastIat: NOW - 10,
  maxStalenessSeconds: 60,
  skewSeconds: 5,
}
const list = (changes: JsonObject): JsonObject => ({ status_list: { bits: 1, lst: 'eNrbuRgAAhcBXQ', ...changes } })

const malformed: readonly [string, JsonObject][] = [
  ['of another uri', { sub: 'https://broker.example/status/other' }],
  ['of no uri', { sub: null }],
  ['without iat', { iat: null }],
  ['with a text as iat', { iat: `${NOW}` }],
  ['with a text as exp', { exp: `${NOW + 50}` }],
  ['with a text as nbf', { nbf: `${NOW}` }],
  ['with a list as nbf', { nbf: [] }],
  ['with nbf null', { nbf: null }],
  ['with no end as exp', { exp: Number.POSITIVE_INFINITY }],
  ['with a time before all time as nbf', { nbf: -1 }],
  ['with a ttl of 0', { ttl: 0 }],
  ['with a negative ttl', { ttl: -15 }],
  ['with a text as ttl', { ttl: '15' }],
  ['without a list', { status_list: null }],
  ['with several lists', { status_list: [{ bits: 1, lst: 'eNrbuRgAAhcBXQ' }] }],
  ['with 3 bits', list({ bits: 3 })],
  ['with a text as bits', list({ bits: '1' })],
  ['with no text as list', list({ lst: 5 })],
  ['with an empty list', list({ lst: '' })],
  ['with padding', list({ lst: 'eNrbuRgAAhcBXQ==' })],
]

const stale: readonly [string, JsonObject, Partial<StatusListExpectation>][] = [
  ['from the future', { iat: NOW + 6 }, {}],
  ['not to be used before later', { nbf: NOW + 6 }, {}],
  ['expired', { exp: NOW }, {}],
  ['signed too long ago', { iat: NOW - 60 }, { lastIat: undefined }],
  ['older than one seen before', {}, { lastIat: NOW - 9 }],
  ['of any age where none is taken', {}, { maxStalenessSeconds: 0 }],
  ['at a time that is no number', {}, { now: Number.NaN }],
]

describe('checkStatusListClaims()', () => {
  test('says how long the list may be used and when to ask again', () => {
    expect(checkStatusListClaims(good, expectation)).toEqual({
      ok: true,
      value: { iat: NOW - 10, bits: 1, lst: 'eNrbuRgAAhcBXQ', refreshAt: NOW + 15, usableUntil: NOW + 50 },
    })
  })

  test.each(malformed)('refuses a list %s', (_, changes) => {
    expect(checkStatusListClaims({ ...good, ...changes }, expectation)).toMatchObject({ reason: 'token-claims' })
  })

  test.each(stale)('refuses a list %s', (_, changes, expected) => {
    const answer = checkStatusListClaims({ ...good, ...changes }, { ...expectation, ...expected })
    expect(answer).toMatchObject({ reason: 'status-stale' })
  })

  test.each<[string, JsonObject]>([
    ['signed by a clock that is ahead by the skew', { iat: NOW + 5 }],
    ['good from a moment on that is ahead by the skew', { nbf: NOW + 5 }],
    ['good from ever', { nbf: 0 }],
    ['as old as the last', { iat: NOW - 10 }],
    ['good for one more second', { exp: NOW + 1 }],
    ...[1, 2, 4, 8].map((bits): [string, JsonObject] => [`of ${bits} bits`, list({ bits })]),
  ])('takes a list %s', (_, changes) => {
    expect(checkStatusListClaims({ ...good, ...changes }, expectation)).toMatchObject({ ok: true })
  })

  test('takes a list that says neither its end nor when to ask again', () => {
    const { exp: _exp, ttl: _ttl, ...silent } = good
    expect(checkStatusListClaims(silent, { ...expectation, maxStalenessSeconds: 100 })).toMatchObject({
      value: { refreshAt: NOW + 60, usableUntil: NOW + 90 },
    })
  })

  test('takes any issuer where none is expected', () => {
    const { issuer: _issuer, ...anyone } = expectation
    expect(checkStatusListClaims({ ...good, iss: 'https://other.example' }, anyone)).toMatchObject({ ok: true })
  })

  test('refuses another issuer where one is named, and takes a list that names none', () => {
    const other = { ...good, iss: 'https://other.example' }
    expect(checkStatusListClaims(other, expectation)).toMatchObject({ reason: 'issuer-unknown' })
    expect(checkStatusListClaims({ ...good, iss: 'https://broker.example' }, expectation)).toMatchObject({ ok: true })
  })

  test.each([
    [{ ttl: 0.001 }, NOW + 5],
    [{ ttl: 1e9, exp: NOW + 1e9 }, NOW + 50],
    [{ ttl: 15, exp: NOW + 7 }, NOW + 7],
  ])('holds ttl and exp within its own bounds: %j', (changes, refreshAt) => {
    expect(checkStatusListClaims({ ...good, ...changes }, expectation)).toMatchObject({ value: { refreshAt } })
  })

  test('asks again within five minutes, however long the list may be used', () => {
    const answer = checkStatusListClaims({ ...good, ttl: 1e9, exp: 4e9 }, { ...expectation, maxStalenessSeconds: 1e6 })
    expect(answer).toMatchObject({ value: { refreshAt: NOW + 300, usableUntil: NOW - 10 + 1e6 } })
  })

  test('reads the example of the draft', () => {
    const file = new URL('../../vectors/token-status-list/status-list-jwt-example.json', import.meta.url)
    const { payload } = JSON.parse(readFileSync(file, 'utf8')) as { payload: JsonObject }
    const answer = checkStatusListClaims(payload, {
      uri: 'https://example.com/statuslists/1',
      issuer: 'https://example.com',
      now: 1_686_920_200,
      lastIat: undefined,
      maxStalenessSeconds: 300,
      skewSeconds: 5,
    })
    expect(answer).toMatchObject({ ok: true, value: { bits: 1, iat: 1_686_920_170 } })
  })
})
