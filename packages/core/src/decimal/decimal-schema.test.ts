import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { decimal, decimalSpec } from './decimal-schema.ts'

describe('decimal()', () => {
  test.each(['0', '1', '42.5', '42.50', '0.01', '100000'])('takes %s', (text) => {
    expect(String(decimal().parse(text))).toBe(text)
  })

  test.each(['-1', '0.001', '1.', '01', '1e2', '+1', ' 1', '', 1, 42.5, null, undefined, ['1'], { units: 1 }])(
    'refuses %j',
    (value) => {
      expect(decimal().safeParse(value).success).toBe(false)
    },
  )

  test('takes a minus only where it is signed', () => {
    expect(decimal({ signed: true }).safeParse('-1.5').success).toBe(true)
    expect(decimal({ signed: true }).safeParse('-0').success).toBe(false)
  })

  test('takes whole numbers at scale 0', () => {
    expect(decimal({ scale: 0 }).safeParse('12').success).toBe(true)
    expect(decimal({ scale: 0 }).safeParse('12.0').success).toBe(false)
  })

  test('takes 15 digits at its largest scale', () => {
    expect(decimal({ scale: 15 }).safeParse('0.000000000000001').success).toBe(true)
  })

  test('never repeats a value in its message, even where input is reported', () => {
    const result = decimal().safeParse('4111111111111111x', { reportInput: true })
    expect(result.error?.issues).toEqual([
      { code: 'custom', message: 'expected a plain decimal with at most 2 fraction digits', input: '', path: [] },
    ])
  })

  test.each([-1, 1.5, 16, Number.NaN])('throws for scale %d', (scale) => {
    expect(() => decimal({ scale })).toThrow(expect.objectContaining({ code: 'api-invalid' }))
  })
})

describe('decimalSpec()', () => {
  const eur = decimal({ scale: 3, unit: 'EUR' })
  const spec = { scale: 3, unit: 'EUR' }

  test.each([
    ['itself', eur],
    ['optional', eur.optional()],
    ['nullable', eur.nullable()],
    ['described', eur.describe('what to pay back')],
    ['annotated', eur.meta({ title: 'Amount' })],
    ['read-only', eur.readonly()],
    ['refined', eur.refine((amount) => amount.gt('0'))],
    ['optional and described', eur.optional().describe('x')],
    ['with a default', eur.prefault('1')],
  ])('finds the spec of one that is %s', (_name, schema) => {
    expect(decimalSpec(schema)).toEqual(spec)
  })

  test('names a unit only where there is one', () => {
    expect(decimalSpec(decimal({ unit: 'EUR' }))).toStrictEqual({ scale: 2, unit: 'EUR' })
    expect(decimalSpec(decimal({ scale: 0 }))).toStrictEqual({ scale: 0 })
  })

  test.each([
    ['a string', z.string()],
    ['a transform of another kind', z.string().transform((text) => text.length)],
    ['nothing', undefined],
    ['no schema', {}],
  ])('has none for %s', (_name, schema) => {
    expect(decimalSpec(schema)).toBeUndefined()
  })
})
