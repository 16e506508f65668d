import type { Constraints } from '@hallpass/core'
import { describe, expect, test } from 'vitest'
import { intersectConstraints } from './intersect-constraints.ts'

describe('intersectConstraints() holds only where each of them holds', () => {
  const any = { any: true } as const
  test.each<readonly [string, Constraints, Constraints, Constraints | undefined]>([
    ['any and something', { a: any }, { a: { prefix: 'x' } }, { a: { prefix: 'x' } }],
    [
      'two ranges',
      { a: { min: '1', max: '9.5' } },
      { a: { min: '2.00', max: '10' } },
      { a: { min: '2.00', max: '9.5' } },
    ],
    ['ranges as numbers, not as text', { a: { max: '9' } }, { a: { max: '10' } }, { a: { max: '9' } }],
    ['half ranges', { a: { min: '1' } }, { a: { max: '2' } }, { a: { min: '1', max: '2' } }],
    ['ranges that do not meet', { a: { max: '1' } }, { a: { min: '2' } }, undefined],
    ['one value twice', { a: { equals: 1 } }, { a: { equals: 1 } }, { a: { equals: 1 } }],
    ['two values', { a: { equals: 1 } }, { a: { equals: '1' } }, undefined],
    ['a value and a list', { a: { equals: 'x' } }, { a: { one_of: ['x', 'y'] } }, { a: { equals: 'x' } }],
    [
      'two lists',
      { a: { one_of: ['z', 'x', 'y'] } },
      { a: { one_of: ['y', 'z', 'q'] } },
      { a: { one_of: ['y', 'z'] } },
    ],
    ['lists that do not meet', { a: { one_of: ['x'] } }, { a: { one_of: ['y'] } }, undefined],
    ['a list with null in it', { a: { one_of: [null, 'x'] } }, { a: { one_of: [null] } }, { a: { equals: null } }],
    ['prefixes', { a: { prefix: 'ab' } }, { a: { prefix: 'abc' } }, { a: { prefix: 'abc' } }],
    ['other prefixes', { a: { prefix: 'ab' } }, { a: { prefix: 'b' } }, undefined],
    ['a prefix and a value', { a: { prefix: 'ab' } }, { a: { equals: 'abc' } }, undefined],
    ['a range and a value', { a: { max: '5' } }, { a: { equals: '4' } }, undefined],
    ['a parameter only one of them names', { a: any, b: any }, { a: any }, { a: any }],
    ['nothing in common', { a: { any: true, optional: true } }, { b: { any: true, optional: true } }, {}],
    ['optional in one', { a: { any: true, optional: true } }, { a: any }, { a: any }],
    [
      'optional in both',
      { a: { max: '5', optional: true } },
      { a: { any: true, optional: true } },
      { a: { max: '5', optional: true } },
    ],
  ])('%s', (_, ...[one, other, both]) => {
    expect(intersectConstraints([one, other])).toEqual(both)
    expect(intersectConstraints([other, one])).toEqual(both)
  })
})
