import { describe, expect, test } from 'vitest'
import type { RequestFields } from './request-fields.ts'
import { readFields } from './request-fields.ts'

const NAMES: readonly (readonly [keyof RequestFields, string])[] = [
  ['authorization', 'Authorization'],
  ['proof', 'DPoP'],
  ['idempotencyKey', 'Idempotency-Key'],
  ['contentType', 'Content-Type'],
  ['contentEncoding', 'Content-Encoding'],
  ['contentDigest', 'Content-Digest'],
  ['upgrade', 'Upgrade'],
  ['transferEncoding', 'Transfer-Encoding'],
]

describe('readFields()', () => {
  test.each(NAMES)('reads %s in every letter case, and sees that it stands twice', (field, name) => {
    for (const spelled of [name, name.toLowerCase(), name.toUpperCase()]) {
      const fields = readFields(['host', 'h', spelled, 'value'])
      expect([fields[field], fields.repeated]).toEqual(['value', undefined])
      expect(Object.values(fields).filter((value) => value !== undefined)).toEqual(['value'])
    }
    const twice = readFields([name, 'a', name.toUpperCase(), 'a'])
    expect([twice[field], twice.repeated]).toEqual(['a', field])
  })

  test.each(NAMES)('sees %s twice also where it was empty at first', (field, name) => {
    expect(readFields([name, '', name, 'a'])).toMatchObject({ [field]: 'a', repeated: field })
  })

  test('says which field was the first to stand twice', () => {
    expect(readFields(['dpop', 'a', 'upgrade', 'b', 'upgrade', 'b', 'dpop', 'a']).repeated).toBe('upgrade')
  })

  test.each([
    ['another field of the same length', 'x-pn', 'd'],
    ['one of the same length and first letter', 'dpox', 'd'],
    ['one of the same length that ends the same', 'xpop', 'd'],
    ['one that is longer', 'dpop2', 'd'],
    ['a name longer than any', 'x'.repeat(40), 'd'],
    ['no name', '', 'd'],
  ])('passes over %s', (_name, header, value) => {
    expect(readFields([header, value])).toEqual(readFields([]))
  })

  test('takes a name without a value for none', () => {
    expect(readFields(['dpop', 'a', 'authorization']).authorization).toBeUndefined()
  })
})
