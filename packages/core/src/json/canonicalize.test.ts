import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { HallpassError } from '../fault.ts'
import { canonicalize } from './canonicalize.ts'
import { parseStrictJson } from './parse-strict-json.ts'
import type { JsonValue } from './value.ts'

const vectors = new URL('../../vectors/json-canonicalization/testdata/', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, vectors))
const json = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<JsonValue>
const cyclic: Record<string, unknown> = {}
cyclic['self'] = cyclic

function reversed(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map((item: JsonValue) => reversed(item))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, item]) => [name, reversed(item)]),
  )
}

describe('canonicalize()', () => {
  test.each(['arrays', 'french', 'structures', 'unicode', 'values', 'weird'])(
    'writes the octets of RFC 8785 vector %s',
    (name) => {
      const parsed = parseStrictJson(read(`input/${name}.json`))
      expect(parsed.ok && canonicalize(parsed.value)).toBe(
        read(`output/${name}.json`).toString('utf8').replace(/\n$/, ''),
      )
      const hex = read(`outhex/${name}.txt`).toString('ascii').replaceAll(/\s/g, '')
      expect(parsed.ok && Buffer.from(canonicalize(parsed.value)).toString('hex')).toBe(hex)
    },
  )

  // RFC 8785 appendix B
  test.each([
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['8000000000000001', '-5e-324'],
    ['7fefffffffffffff', '1.7976931348623157e+308'],
    ['4340000000000000', '9007199254740992'],
    ['4430000000000000', '295147905179352830000'],
    ['44b52d02c7e14af5', '9.999999999999997e+22'],
    ['44b52d02c7e14af6', '1e+23'],
    ['444b1ae4d6e2ef4e', '999999999999999700000'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
    ['41b3de4355555553', '333333333.3333332'],
    ['becbf647612f3696', '-0.0000033333333333333333'],
  ])('writes double %s as %s', (bits, text) => {
    expect(canonicalize(Buffer.from(bits, 'hex').readDoubleBE())).toBe(text)
  })

  test('writes 64 levels and no more', () => {
    const nested = (levels: number) => JSON.parse('['.repeat(levels) + ']'.repeat(levels)) as JsonValue
    const named = (levels: number) => JSON.parse('{"a":'.repeat(levels) + '1' + '}'.repeat(levels)) as JsonValue
    expect(canonicalize(nested(64))).toBe('['.repeat(64) + ']'.repeat(64))
    expect(canonicalize(named(64))).toBe('{"a":'.repeat(64) + '1' + '}'.repeat(64))
    for (const value of [nested(65), named(65)]) expect(() => canonicalize(value)).toThrow(HallpassError)
  })

  test('writes an object that has no prototype', () => {
    expect(canonicalize(Object.assign(Object.create(null) as object, { b: 1, a: [] }))).toBe('{"a":[],"b":1}')
  })

  test('is stable through a parse', () => {
    fc.assert(
      fc.property(json, (value) => {
        const once = canonicalize(value)
        expect(canonicalize(JSON.parse(once) as JsonValue)).toBe(once)
      }),
    )
  })

  test('does not depend on the order of members', () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(canonicalize(reversed(value))).toBe(canonicalize(value))
      }),
    )
  })

  test.each<[string, unknown]>([
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['undefined', undefined],
    ['a function', () => 1],
    ['a symbol', Symbol('x')],
    ['a bigint', 1n],
    ['a hole', { a: undefined }],
    ['a hole in a list', Array.from({ length: 2 })],
    ['a date', new Date(0)],
    ['a map', new Map()],
    ['bytes', new Uint8Array(2)],
    ['a lone surrogate', ['\ud800']],
    ['a lone surrogate in a name', { '\udc00': 1 }],
    ['a cycle', cyclic],
  ])('throws for %s', (_name, value) => {
    expect(() => canonicalize(value as JsonValue)).toThrow(expect.objectContaining({ code: 'configuration-invalid' }))
  })
})
