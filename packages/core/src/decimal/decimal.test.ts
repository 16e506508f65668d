import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Decimal, toUnits } from './decimal.ts'

interface Exact {
  readonly text: string
  readonly units: bigint
  readonly scale: number
}

/** A decimal as a BigInt count of 10^-scale, and the text that says it. */
const exact: fc.Arbitrary<Exact> = fc
  .record({ units: fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), scale: fc.integer({ min: 0, max: 12 }) })
  .map(({ units, scale }) => {
    const digits = String(units < 0n ? -units : units).padStart(scale + 1, '0')
    const cut = digits.length - scale
    return {
      text: `${units < 0n ? '-' : ''}${digits.slice(0, cut)}${scale > 0 ? `.${digits.slice(cut)}` : ''}`,
      units,
      scale,
    }
  })

const at = ({ units, scale }: Exact, wanted: number) => units * 10n ** BigInt(wanted - scale)

describe('Decimal', () => {
  test('compares as BigInt does', () => {
    fc.assert(
      fc.property(exact, exact, (one, other) => {
        const [left, right] = [at(one, 12), at(other, 12)]
        const a = Decimal.of(one.text)
        expect([
          a.lt(other.text),
          a.lte(other.text),
          a.gt(other.text),
          a.gte(other.text),
          a.eq(Decimal.of(other.text)),
        ]).toEqual([left < right, left <= right, left > right, left >= right, left === right])
      }),
    )
  })

  test.each([
    ['1', '2', -1],
    ['1.99', '2', -1],
    ['2', '1.99', 1],
    ['-2', '-1', -1],
    ['50', '50.00', 0],
    ['50.00', '50', 0],
    ['0', '0.0', 0],
  ] as const)('compares %s with %s', (one, other, order) => {
    const a = Decimal.of(one)
    expect(a.compare(other)).toBe(order)
    expect([a.lt(other), a.lte(other), a.gt(other), a.gte(other), a.eq(other)]).toEqual([
      order < 0,
      order <= 0,
      order > 0,
      order >= 0,
      order === 0,
    ])
  })

  test.each([
    [-1, undefined],
    [0, 10n],
    [20, 10n ** 21n],
    [21, undefined],
  ])('counts ten at scale %i', (scale, units) => {
    expect(Decimal.of('10').unitsAt(scale)).toBe(units)
  })

  test('adds as BigInt does', () => {
    fc.assert(
      fc.property(exact, exact, (one, other) => {
        expect(Decimal.of(one.text).add(other.text).unitsAt(12)).toBe(at(one, 12) + at(other, 12))
      }),
    )
  })

  test('says what it read', () => {
    fc.assert(
      fc.property(exact, ({ text, units, scale }) => {
        expect(String(Decimal.of(text))).toBe(text)
        expect(JSON.stringify({ a: Decimal.of(text) })).toBe(`{"a":"${text}"}`)
        expect(Decimal.of(text).unitsAt(scale)).toBe(units)
      }),
    )
  })

  test.each([
    '',
    ' ',
    '1 ',
    ' 1',
    '+1',
    '--1',
    '-',
    '.',
    '.5',
    '1.',
    '01',
    '00',
    '-01',
    '-0',
    '-0.00',
    '1e3',
    '1E3',
    '0x10',
    '1,000',
    '1_000',
    '1.2.3',
    'NaN',
    'Infinity',
    '-Infinity',
    '٣',
    '１',
    '1\n',
    '1\u0000',
    '9'.repeat(41),
    `0.${'1'.repeat(21)}`,
  ])('parse() refuses %j', (text) => {
    expect(Decimal.parse(text)).toBeUndefined()
    expect(() => Decimal.of(text)).toThrow(expect.objectContaining({ code: 'configuration-invalid' }))
  })

  test.each([
    ['a number', 1],
    ['a bigint', 1n],
    ['null', null],
    ['nothing', undefined],
    ['a list', ['1']],
    ['an object', { toString: () => '1' }],
  ])('parse() refuses %s', (_name, value) => {
    expect(Decimal.parse(value)).toBeUndefined()
  })

  test('has no value for an operator', () => {
    const [one, two] = [Decimal.of('1'), Decimal.of('2')] as unknown as [number, number]
    const misuses = [() => one < two, () => one <= two, () => one + two, () => one * 2, () => -one]
    for (const misuse of misuses) expect(misuse).toThrow(expect.objectContaining({ code: 'configuration-invalid' }))
    expect(`${one}`).toBe('1')
  })

  test('tells two amounts apart in a test', () => {
    expect(Decimal.of('1')).not.toEqual(Decimal.of('2'))
  })
})

describe('toUnits()', () => {
  test('counts exactly, or refuses', () => {
    fc.assert(
      fc.property(exact, fc.integer({ min: 0, max: 6 }), (one, scale) => {
        const whole = scale >= one.scale || one.units % 10n ** BigInt(one.scale - scale) === 0n
        const units = scale >= one.scale ? at(one, scale) : one.units / 10n ** BigInt(one.scale - scale)
        const fits = whole && units >= 0n && units <= BigInt(Number.MAX_SAFE_INTEGER)
        expect(toUnits(one.text, scale)).toEqual(
          fits ? { ok: true, value: Number(units) } : { ok: false, reason: 'amount-invalid' },
        )
      }),
    )
  })

  test.each([
    ['42.00', 2, 4200],
    ['42', 2, 4200],
    ['0', 0, 0],
    ['42.10', 1, 421],
    ['9007199254740991', 0, Number.MAX_SAFE_INTEGER],
    ['90071992547409.91', 2, Number.MAX_SAFE_INTEGER],
  ])('%s at scale %i is %i', (text, scale, units) => {
    expect(toUnits(text, scale)).toEqual({ ok: true, value: units })
  })

  test.each([
    ['-1', 2],
    ['-0.01', 2],
    ['0.001', 2],
    ['1e2', 2],
    ['9007199254740992', 0],
    ['90071992547409.92', 2],
    ['abc', 2],
    ['', 2],
    ['1', -1],
    ['1', 0.5],
    ['1', Number.NaN],
    ['1', 1e9],
  ])('refuses %s at scale %d', (text, scale) => {
    expect(toUnits(text, scale)).toEqual({ ok: false, reason: 'amount-invalid' })
  })
})
