import { describe, expect, test } from 'vitest'
import { findCredential } from './credential.ts'
import { readFields } from './request-fields.ts'

const ISSUER = 'https://broker.example'
const ours = `e30.${Buffer.from(JSON.stringify({ iss: ISSUER })).toString('base64url')}.c2ln`
const rules = { issuer: ISSUER, acceptUnbound: false, sharesRoute: false }
const find = (headers: readonly string[], more: Partial<typeof rules> = {}, query = '') => {
  const found = findCredential(readFields(headers), query, { ...rules, ...more })
  return found.ok ? found.value : found.reason
}

describe('findCredential()', () => {
  test('reads DPoP credentials whatever the case of names and scheme', () => {
    expect(find(['AUTHORIZATION', 'dPoP tok', 'DPOP', 'prf'])).toEqual({ token: 'tok', proof: 'prf' })
  })

  test.each([
    ['Bearer tok', 'binding-failed'],
    [`Bearer ${ours}`, 'binding-failed'],
    ['Bearer', 'binding-failed'],
    ['DPoP', 'credential-malformed'],
    ['DPoP ', 'credential-malformed'],
    ['DPoP a b', 'proof-missing'],
    ['DPoP  a', 'proof-missing'],
    ['', 'credential-missing'],
    ['Digest username="a", realm="b"', 'credential-missing'],
    ['Basic dTpw, DPoP x', 'credential-malformed'],
    [`Basic dTpw, Bearer ${ours}`, 'credential-malformed'],
  ])('says of %j without a proof: %s', (authorization, reason) => {
    const expected = authorization === 'Bearer' ? 'credential-malformed' : reason
    expect(find(['authorization', authorization])).toBe(expected)
  })

  test('takes Bearer only where the option says so, and never with a proof', () => {
    expect(find(['authorization', 'Bearer tok'], { acceptUnbound: true })).toEqual({ token: 'tok', proof: undefined })
    expect(find(['authorization', 'Bearer tok', 'dpop', 'prf'], { acceptUnbound: true })).toBe('credential-malformed')
  })

  test.each([
    ['another issuer', 'https://idp.example', 'credential-missing'],
    ['ours', ISSUER, 'binding-failed'],
    ['ours, its slashes escaped', String.raw`https:\/\/broker.example`, 'binding-failed'],
  ])('on a shared route tells a Bearer token of %s apart', (_name, iss, reason) => {
    const payload = Buffer.from(`{"iss":"${iss}"}`).toString('base64url')
    expect(find(['authorization', `Bearer e30.${payload}.c2ln`], { sharesRoute: true })).toBe(reason)
  })

  test.each([
    ['access_token=x', 'credential-malformed'],
    ['a=1&access_token=', 'credential-malformed'],
    ['acc%65ss%5Ftoken=x', 'credential-malformed'],
    ['access_tokens=x', 'credential-missing'],
    ['Access_Token=x', 'credential-missing'],
  ])('says of the query %s: %s', (query, reason) => {
    expect(find([], {}, query)).toBe(reason)
  })
})

describe('readFields()', () => {
  test('keeps the last of a repeated field and says which it was', () => {
    const fields = readFields(['dpop', 'a', 'Host', 'h', 'DPoP', 'b'])
    expect([fields.repeated, fields.proof]).toEqual(['proof', 'b'])
  })

  test('reads the same from a web Headers', () => {
    const headers = new Headers({
      Authorization: 'DPoP a',
      DPoP: 'b',
      'Content-Type': 'application/json',
      'Idempotency-Key': 'k',
    })
    const { authorization, proof, contentType, idempotencyKey, repeated } = readFields(headers)
    expect([authorization, proof, contentType, idempotencyKey, repeated]).toEqual([
      'DPoP a',
      'b',
      'application/json',
      'k',
      undefined,
    ])
  })
})
