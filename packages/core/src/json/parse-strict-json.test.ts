import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseStrictJson } from './parse-strict-json.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void
const utf8 = (text: string) => new TextEncoder().encode(text)
/** Any character, the near ones more often. Cheaper to make than fast-check's own list of all of them. */
const character = fc
  .oneof(fc.nat(0x7f), fc.nat(0x2fff), fc.nat(0x10f7ff))
  .map((code) => String.fromCodePoint(code < 0xd800 ? code : code + 0x800))
const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)

describe('parseStrictJson()', () => {
  test.each([
    '{}',
    '[]',
    '0',
    '-0',
    '-1',
    '1.5',
    '1e3',
    '1E+3',
    '1.25e-3',
    'true',
    'false',
    'null',
    '""',
    '"a"',
    ' \t\r\n{ "a" : [ 1 , { "b" : null } ] } \n',
    '{"a":{"a":{"a":1}}}',
    '{"":0}',
    '"\\u0041\\n\\/\\"\\\\\\b\\f\\r\\t"',
    '"\\ud83d\\ude00"',
    '"😀é"',
    '{"é":"ü","a":1}',
    '9007199254740991',
    '-9007199254740991',
    '1E30',
    '{"constructor":1,"toString":2}',
    // Names that are kept in the same place: as long as one another, or one the beginning of the other.
    '{"aa":1,"qq":2,"a":3,"abb":4,"arr":5,"é":6,"ü":7}',
    '{"abb":1,"a":2}',
    nested(16),
    '{"a":'.repeat(16) + '1' + '}'.repeat(16),
    `[${Array.from({ length: 20 }, () => '[{}]').join()}]`,
    '{"\\\\":1}',
    '"\\n a"',
    '[{"a":1},{"a":1}]',
    '"\u2028"',
    '"\u007f"',
  ])('reads %s as JSON.parse does, from text and from bytes', (text) => {
    const expected = { ok: true, value: JSON.parse(text) as unknown }
    expect(parseStrictJson(text)).toEqual(expected)
    expect(parseStrictJson(utf8(text))).toEqual(expected)
  })

  test.each([
    ['json-syntax', ''],
    ['json-syntax', ' '],
    ['json-syntax', '{'],
    ['json-syntax', '}'],
    ['json-syntax', '[1,]'],
    ['json-syntax', '{"a":1,}'],
    ['json-syntax', '{"a"}'],
    ['json-syntax', '{"a":}'],
    ['json-syntax', '{a:1}'],
    ['json-syntax', "{'a':1}"],
    ['json-syntax', '[1 2]'],
    ['json-syntax', '{"a":1 "b":2}'],
    ['json-syntax', '{"a":1}x'],
    ['json-syntax', '{"a":1}{}'],
    ['json-syntax', '{"a":1}\u0000'],
    ['json-syntax', '[1]\u00a0'],
    ['json-syntax', '01'],
    ['json-syntax', '-'],
    ['json-syntax', '-01'],
    ['json-syntax', '+1'],
    ['json-syntax', '.5'],
    ['json-syntax', '1.'],
    ['json-syntax', '1e'],
    ['json-syntax', '1e+'],
    ['json-syntax', '0x10'],
    ['json-syntax', '1_000'],
    ['json-syntax', '1n'],
    ['json-syntax', '٣'],
    ['json-syntax', 'NaN'],
    ['json-syntax', 'Infinity'],
    ['json-syntax', 'undefined'],
    ['json-syntax', 'True'],
    ['json-syntax', 'tru'],
    ['json-syntax', 'nul'],
    ['json-syntax', '"'],
    ['json-syntax', '"a'],
    ['json-syntax', '"\\'],
    ['json-syntax', '"\\"'],
    ['json-syntax', '"\\x41"'],
    ['json-syntax', '"\\u004"'],
    ['json-syntax', '"\\u00g0"'],
    ['json-syntax', '"\\U0041"'],
    ['json-syntax', '"\n"'],
    ['json-syntax', '"\t"'],
    ['json-syntax', '"\u0000"'],
    ['json-syntax', '"\\n\u0001"'],
    ['json-syntax', '{"\u0001":1}'],
    ['json-syntax', '/**/1'],
    ['json-syntax', '1//'],
    ['json-syntax', '[,]'],
    ['json-syntax', '[1,,2]'],
    ['json-syntax', '[1;2]'],
    ['json-syntax', '{"a":1;"b":2}'],
    ['json-syntax', '{"'],
    ['json-syntax', '{"a'],
    ['json-syntax', '{"a":"'],
    ['json-syntax', '{,}'],
    ['json-syntax', '[1}'],
    ['json-syntax', '{"a":1]'],
    ['json-duplicate', '{"a":1,"a":1}'],
    ['json-duplicate', '{"a":1,"b":2,"a":3}'],
    ['json-duplicate', '{"x":{"y":[{"k":1,"k":2}]}}'],
    ['json-duplicate', '{"alg":1,"\\u0061lg":2}'],
    ['json-duplicate', '{"\\u0061":1,"a":2}'],
    ['json-duplicate', '{"":1,"":2}'],
    ['json-duplicate', '{"é":1,"\\u00e9":2}'],
    ['json-duplicate', '{"constructor":1,"constructor":2}'],
    ['json-duplicate', '{"1":1,"1":2}'],
    ['json-duplicate', '{"a":undefined,"a":1}'.replace('undefined', 'null')],
    ['json-member', '{"__proto__":1}'],
    ['json-member', '{"a":{"__proto__":{"admin":true}}}'],
    ['json-member', '{"\\u005f_proto__":1}'],
    ['json-number', '1e999'],
    ['json-number', '-1e999'],
    ['json-number', '[1e400]'],
    ['json-number', '9007199254740992'],
    ['json-number', '-9007199254740993'],
    ['json-number', '1' + '0'.repeat(400)],
    ['json-depth', nested(17)],
    ['json-depth', '{"a":'.repeat(17) + '1' + '}'.repeat(17)],
    ['json-depth', nested(100000)],
    ['json-encoding', '\ufeff{}'],
    ['json-encoding', '"\ud800"'],
    ['json-encoding', '"\udc00"'],
    ['json-encoding', '"\ud83d"'],
    ['json-encoding', '"\\ud800"'],
    ['json-encoding', '"\\ude00\\ud83d"'],
    ['json-encoding', '"\\ud83dx"'],
    ['json-encoding', '{"\\ud800":1}'],
    ['json-encoding', '"\\ud83d😀"'],
  ])('refuses with %s: %j', (reason, text) => {
    expect(parseStrictJson(text)).toEqual({ ok: false, reason })
  })

  test.each<[string, number[], string]>([
    ['an invalid octet', [0x22, 0xff, 0x22], 'json-encoding'],
    ['an overlong slash', [0x22, 0xc0, 0xaf, 0x22], 'json-encoding'],
    ['an encoded surrogate', [0x22, 0xed, 0xa0, 0x80, 0x22], 'json-encoding'],
    ['a cut sequence', [0x22, 0xc3, 0x22], 'json-encoding'],
    ['beyond Unicode', [0x22, 0xf4, 0x90, 0x80, 0x80, 0x22], 'json-encoding'],
    ['a byte order mark', [0xef, 0xbb, 0xbf, 0x7b, 0x7d], 'json-encoding'],
    ['UTF-16', [0x7b, 0x00, 0x7d, 0x00], 'json-syntax'],
  ])('refuses bytes with %s', (_name, bytes, reason) => {
    expect(parseStrictJson(new Uint8Array(bytes))).toEqual({ ok: false, reason })
  })

  test('lets go of a large text that one small piece was taken from', () => {
    const filler = ' '.repeat(500_000)
    const held: unknown[] = []
    collectGarbage()
    const before = process.memoryUsage().heapUsed
    for (let round = 0; round < 20; round++) {
      // The second is broken, so that its name is never used as one.
      held.push(parseStrictJson(`{"a-name-of-more-than-a-dozen-${round}":"a value of more than a dozen"${filler}}`))
      held.push(parseStrictJson(`{"another-name-of-a-dozen-${round}" x${filler}`))
    }
    collectGarbage()
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(4_000_000)
    expect(held).toHaveLength(40)
  })

  test.each([8192, 8193])('reads names and values of a text of %d characters', (length) => {
    const text = '{"name":"a value","other":["b\\n","name"]}'.padEnd(length)
    const expected = { ok: true, value: { name: 'a value', other: ['b\n', 'name'] } }
    expect([parseStrictJson(text), parseStrictJson(utf8(text))]).toEqual([expected, expected])
  })

  test('takes a depth of its own', () => {
    expect(parseStrictJson(nested(3), { maxDepth: 2 })).toEqual({ ok: false, reason: 'json-depth' })
    expect(parseStrictJson(nested(2), { maxDepth: 2 }).ok).toBe(true)
  })

  test('keeps the names of one text apart from those of the next', () => {
    const name = fc.string({ minLength: 0, maxLength: 45 }).filter((text) => text !== '__proto__')
    fc.assert(
      fc.property(fc.array(fc.dictionary(name, fc.integer(), { maxKeys: 8 }), { maxLength: 4 }), (value) => {
        const text = JSON.stringify(value)
        expect(parseStrictJson(text)).toEqual({ ok: true, value: JSON.parse(text) as unknown })
      }),
      { numRuns: 500 },
    )
  })

  test('agrees with JSON.parse on whatever it accepts', () => {
    const noise = fc.array(
      fc.constantFrom(
        '{',
        '}',
        '[',
        ']',
        ',',
        ':',
        '"a"',
        '"b"',
        '"',
        '1',
        '-',
        '.5',
        'e2',
        'true',
        'null',
        ' ',
        '\\',
        '\\u0061',
        'é',
      ),
      { maxLength: 14 },
    )
    fc.assert(
      fc.property(noise, (pieces) => {
        const text = pieces.join('')
        const ours = parseStrictJson(text)
        fc.pre(ours.ok)
        expect(ours).toEqual({ ok: true, value: JSON.parse(text) as unknown })
      }),
      { numRuns: 300, maxSkipsPerRun: 1000 },
    )
  })

  test('accepts what JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5, stringUnit: character }), (value) => {
        const text = JSON.stringify(value)
        // Both are refused on purpose.
        fc.pre(!text.includes('__proto__') && !/\d{16}/.test(text))
        expect(parseStrictJson(utf8(text))).toEqual({ ok: true, value: JSON.parse(text) as unknown })
      }),
      { numRuns: 500 },
    )
  })
})
