import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseForm } from './form.ts'

const parsed = (text: string) => {
  const form = parseForm(text)
  return form.ok ? Object.fromEntries(form.value) : form.reason
}

describe('parseForm()', () => {
  test.each([
    ['', {}],
    ['a=1&b=2', { a: '1', b: '2' }],
    ['a=x%20y+z', { a: 'x y z' }],
    ['a=b=c', { a: 'b=c' }],
    ['a=', {}],
    ['__proto__=x', { ['__proto__']: 'x' }],
    ['a=%C3%A9', { a: 'é' }],
  ])('parseForm() reads %j', (text, expected) => {
    expect(parsed(text)).toEqual(expected)
  })

  test.each([
    ['a repeated parameter', 'a=1&a=2'],
    ['one repeated in another spelling', 'a=1&%61=2'],
    ['one repeated with an empty value', 'a=&a=2'],
    ['a pair without an equals sign', 'a'],
    ['an empty pair', 'a=1&&b=2'],
    ['broken percent-encoding', 'a=%4'],
    ['broken UTF-8', 'a=%ff'],
    ['an overlong encoding', 'a=%c0%af'],
    ['an encoded surrogate', 'a=%ed%a0%80'],
    ['too many parameters', Array.from({ length: 33 }, (_, index) => `p${index}=1`).join('&')],
  ])('parseForm() refuses %s', (_name, text) => {
    expect(parsed(text)).toBe('request-invalid')
  })

  test('parseForm() reads back whatever URLSearchParams writes', () => {
    const name = fc.string({ minLength: 1, unit: 'grapheme' })
    const value = fc.string({ minLength: 1, unit: 'grapheme' })
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(name, value), { maxLength: 20, selector: ([key]) => key }), (pairs) => {
        const form = parseForm(new URLSearchParams(pairs).toString())
        expect(form.ok && [...form.value]).toEqual(pairs)
      }),
    )
  })
})
