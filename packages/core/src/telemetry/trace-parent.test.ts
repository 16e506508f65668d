import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseTraceParent } from './trace-parent.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'

describe('parseTraceParent()', () => {
  test.each([
    ['as it came', `00-${TRACE}-${SPAN}-01`, `00-${TRACE}-${SPAN}-01`],
    ['not sampled', `00-${TRACE}-${SPAN}-00`, `00-${TRACE}-${SPAN}-00`],
    ['without flags we do not know', `00-${TRACE}-${SPAN}-ff`, `00-${TRACE}-${SPAN}-01`],
    ['without them, not sampled', `00-${TRACE}-${SPAN}-02`, `00-${TRACE}-${SPAN}-00`],
    ['of a later version, as the standard wants it', `cc-${TRACE}-${SPAN}-01-what-else`, `00-${TRACE}-${SPAN}-01`],
    ['of a later version without more', `01-${TRACE}-${SPAN}-01`, `00-${TRACE}-${SPAN}-01`],
  ])('parseTraceParent() reads one %s', (_name, text, read) => {
    expect(parseTraceParent(text)).toBe(read)
  })

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['an empty text', ''],
    ['a list', [`00-${TRACE}-${SPAN}-01`]],
    ['version ff', `ff-${TRACE}-${SPAN}-01`],
    ['no version', `${TRACE}-${SPAN}-01`],
    ['version 00 with more', `00-${TRACE}-${SPAN}-01-more`],
    ['a later version with more and no dash', `01-${TRACE}-${SPAN}-01more`],
    ['a later version with a line break', `01-${TRACE}-${SPAN}-01-a\nb`],
    ['a trace of zeros', `00-${'0'.repeat(32)}-${SPAN}-01`],
    ['a span of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['upper case', `00-${TRACE.toUpperCase()}-${SPAN}-01`],
    ['a short trace', `00-${TRACE.slice(1)}-${SPAN}-01`],
    ['a long span', `00-${TRACE}-${SPAN}0-01`],
    ['half a flag', `00-${TRACE}-${SPAN}-1`],
    ['no flags', `00-${TRACE}-${SPAN}`],
    ['two', `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`],
    ['two, of a later version', `01-${TRACE}-${SPAN}-01-a, 01-${TRACE}-${SPAN}-01`],
    ['a space before', ` 00-${TRACE}-${SPAN}-01`],
    ['a line break behind', `00-${TRACE}-${SPAN}-01\n`],
    ['what is no hex', `00-${TRACE.replace('4', 'g')}-${SPAN}-01`],
    ['too much of a later version', `01-${TRACE}-${SPAN}-01-${'a'.repeat(300)}`],
  ])('parseTraceParent() ignores %s', (_name, text) => {
    expect(parseTraceParent(text as string)).toBeUndefined()
  })

  test('parseTraceParent() gives nothing but what it would take again', () => {
    const hex = (length: number) =>
      fc.string({ unit: fc.constantFrom(...Array.from('0123456789abcdefABCDEF-,\n')), maxLength: length })
    const near = fc.tuple(hex(3), hex(33), hex(17), hex(4)).map((parts) => parts.join('-'))
    const exact = fc
      .tuple(fc.bigInt(0n, 2n ** 128n - 1n), fc.bigInt(0n, 2n ** 64n - 1n), fc.nat(255))
      .map(([trace, span, flags]) =>
        [
          '00',
          trace.toString(16).padStart(32, '0'),
          span.toString(16).padStart(16, '0'),
          flags.toString(16).padStart(2, '0'),
        ].join('-'),
      )
    fc.assert(
      fc.property(fc.oneof(fc.string(), near, exact), (text) => {
        const read = parseTraceParent(text)
        expect(read ?? '').toMatch(/^(00-[0-9a-f]{32}-[0-9a-f]{16}-0[01])?$/)
        expect(parseTraceParent(read)).toBe(read)
      }),
    )
  })
})
