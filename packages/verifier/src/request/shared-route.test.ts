import { describe, expect, test } from 'vitest'
import { findCredential, isNoToken68 } from './credential.ts'
import { readFields } from './request-fields.ts'

const ISSUER = 'https://broker.example'
const encode = (text: string, encoding: BufferEncoding = 'base64url'): string => Buffer.from(text).toString(encoding)
/** Unsigned: whose a token is, its own word says. */
const tokenOf = (payload: string): string => `e30.${payload}.c2ln`
const ours = tokenOf(encode(JSON.stringify({ iss: ISSUER })))
const theirs = tokenOf(encode(JSON.stringify({ iss: 'https://idp.example' })))
// Characters that only standard base64 writes as + and /.
const standard = encode(`{"x":"~~~???~~?>>","iss":"${ISSUER}"}`, 'base64').replace(/=+$/, '')

const shared = { issuer: ISSUER, acceptUnbound: false, sharesRoute: true }
const alone = { ...shared, sharesRoute: false }
const find = (authorization: string, rules = shared, query = '') => {
  const fields = readFields(authorization === '' ? [] : ['authorization', authorization])
  const found = findCredential(fields, query, rules)
  return found.ok ? found.value : found.reason
}

describe('findCredential() on a route with another authentication', () => {
  test.each([
    'Bearer',
    'Bearer ',
    'Bearer opaque',
    'Bearer a.b',
    'Bearer ..',
    `Bearer ${theirs}`,
    `Bearer ${tokenOf('!!!')}`,
    `Bearer ${tokenOf('')}`,
    `Bearer ${encode(ISSUER)}`,
    `Basic ${ours}`,
    `Basic ${encode('u:p')}, Digest x`,
    `Bearer ${tokenOf(`AAAA=${encode(JSON.stringify({ iss: ISSUER }))}`)}`,
    `Digest x, Basic ${ours}`,
    `Bearer ${theirs}, Bearer opaque`,
    'Digest username="dpop", realm="bearer"',
    'Digest username="a",dpop-like=b',
  ])('leaves %s to it', (authorization) => {
    expect(find(authorization)).toBe('credential-missing')
  })

  test.each([
    ['as it is', ours],
    ['without a signature', `e30.${encode(JSON.stringify({ iss: ISSUER }))}`],
    ['padded', tokenOf(`${encode(JSON.stringify({ iss: ISSUER, a: 1 }))}==`)],
    ['padded too much', tokenOf(`${encode(JSON.stringify({ iss: ISSUER, a: 1 }))}===`)],
    ['in standard base64', tokenOf(standard)],
    ['before another credential', `${ours}, Basic dTpw`],
    ['with a character too many', tokenOf(`${encode(`{"iss":"${ISSUER}"}`.padEnd(36))}A`)],
    ['with stray bits', tokenOf(`${encode(`{"iss":"${ISSUER}"}`.padEnd(36))}AB`.slice(0, -1))],
    ['its slashes escaped', tokenOf(encode(JSON.stringify({ iss: ISSUER }).replaceAll('/', '\\/')))],
    ['that names us anywhere', tokenOf(encode(JSON.stringify({ iss: 'x', aud: [`${ISSUER}/api`] })))],
  ])('refuses a Bearer token of ours %s', (_name, token) => {
    expect([find(`Bearer ${token}`), find(`bEARER ${token}`)]).toEqual(['binding-failed', 'binding-failed'])
    expect(find(`Bearer ${token}`, { ...shared, acceptUnbound: true })).toEqual({ token, proof: undefined })
  })

  test('the token in standard base64 is one that has both characters', () => {
    expect([standard.includes('+'), standard.includes('/')]).toEqual([true, true])
  })

  test.each([
    'Basic dTpw, DPoP x',
    'Basic dTpw,DPoP x',
    'Basic dTpw, dpop',
    'Bearer opaque, DPoP x',
    `Bearer opaque, Bearer ${ours}`,
    `Bearer ${theirs},  bearer ${ours}`,
    `Basic dTpw, Digest x, Bearer ${ours}`,
    `Bearer ${ours}, Bearer ${ours}`,
  ])('refuses %s: ours stands behind another', (authorization) => {
    expect(find(authorization)).toBe('credential-malformed')
  })

  test.each([
    [`access_token=${ours}`, 'credential-malformed'],
    [`access_token=opaque&access_token=${ours}`, 'credential-malformed'],
    [`%61ccess_token=${ours}`, 'credential-malformed'],
    [`access_token=${theirs}`, 'credential-missing'],
    [`token=${ours}`, 'credential-missing'],
    ['access_token=', 'credential-missing'],
  ])('says of the query %s: %s', (query, reason) => {
    expect(find('', shared, query)).toBe(reason)
  })
})

describe('findCredential() where it stands alone', () => {
  test.each([
    [`Bearer ${theirs}`, 'binding-failed'],
    ['Bearer ', 'credential-malformed'],
    ['bearer', 'credential-malformed'],
    [`Basic dTpw, Bearer ${theirs}`, 'credential-missing'],
    ['Basic dTpw, DPoP x', 'credential-malformed'],
    ['Basicdpop', 'credential-missing'],
  ])('says of %s: %s', (authorization, reason) => {
    expect(find(authorization, alone)).toBe(reason)
  })

  test.each<[headers: string[], reason: string]>([
    [['authorization', 'DPoP a', 'dpop', 'b', 'authorization', 'DPoP a'], 'credential-malformed'],
    [['authorization', 'DPoP a', 'dpop', 'b', 'dpop', 'b'], 'proof-malformed'],
    [['dpop', 'b', 'dpop', 'b'], 'proof-malformed'],
    [['authorization', 'Basic dTpw', 'dpop', 'b'], 'credential-malformed'],
    [['authorization', 'DPoP', 'dpop', 'b'], 'credential-malformed'],
    [['authorization', 'DPoP ', 'dpop', 'b'], 'credential-malformed'],
    [['authorization', '', 'dpop', 'b'], 'credential-malformed'],
    [['dpop', 'b'], 'credential-malformed'],
  ])('says of the fields %j: %s', (headers, reason) => {
    const found = findCredential(readFields(headers), '', { ...alone, acceptUnbound: true })
    expect(found.ok || found.reason).toBe(reason)
  })
})

test.each([
  ['a.b.c', false],
  ['', false],
  ['a.b.c, DPoP d', true],
  ['a,b', true],
  ['a b', true],
])('isNoToken68() says of %j: %s', (token, expected) => {
  expect(isNoToken68(token)).toBe(expected)
})
