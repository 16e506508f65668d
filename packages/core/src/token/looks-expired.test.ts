import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { looksExpired } from './looks-expired.ts'

const now = 1_795_300_000

describe('looksExpired()', () => {
  test.each(['{"exp":1795300000}', '{"iat":1,"exp":1795299999,"jti":"x"}', '{"exp":0}', '{"exp":000000000000009}'])(
    'sees that %s is over',
    (text) => expect(looksExpired(text, now)).toBe(true),
  )

  test.each([
    ['later', '{"exp":1795300001}'],
    ['missing', '{"iat":1}'],
    ['twice', '{"exp":1,"exp":9999999999}'],
    ['twice, once nested', '{"exp":9999999999,"a":{"exp":1}}'],
    ['spaced', '{"exp": 1}'],
    ['spaced after', '{"exp":1 }'],
    ['spaced name', '{"exp" :1}'],
    ['negative', '{"exp":-1}'],
    ['a fraction', '{"exp":1.5}'],
    ['with an exponent', '{"exp":1e99}'],
    ['a text', '{"exp":"1"}'],
    ['no value', '{"exp":}'],
    ['cut off', '{"exp":1'],
    ['of 16 digits', '{"exp":0000000000000009}'],
    ['far too long', '{"exp":0000000000000000000000000001}'],
    ['escaped', '{"\\u0065xp":1}'],
    ['the end of another name', '{"maxp":1}'],
    ['one of two that end so', '{"exp":1,"maxp":1}'],
    ['cut at its start', 'xp":1}'],
    ['inside a text', '{"a":"{\\"exp\\":1}"}'],
  ])('leaves to the claims an exp that is %s', (_how, text) => expect(looksExpired(text, now)).toBe(false))

  test.each([Number.NaN, Number.NEGATIVE_INFINITY])('finds nothing over at %d', (never) =>
    expect(looksExpired('{"exp":1}', never)).toBe(false),
  )

  test('never says so of a payload whose only exp is ahead', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.integer({ min: 1 }), (members, ahead) => {
        const { exp: _, ...others } = members
        const text = JSON.stringify({ ...others, exp: now + ahead })
        // Another member called exp, further down, is the one thing it may take for the payload's: it sees two then.
        expect(looksExpired(text, now)).toBe(false)
      }),
    )
  })
})
