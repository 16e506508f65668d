import * as fc from 'fast-check'
import { matchResource } from '@hallpass/core'
import { describe, expect, test } from 'vitest'
import { isUnderCeiling } from './ceiling.ts'

describe('isUnderCeiling()', () => {
  test.each([
    ['no ceiling', { ceiling: undefined, action: 'a', identifier: 'order:1' }, true],
    ['an empty ceiling', { ceiling: {}, action: 'a', identifier: 'order:*' }, true],
    ['a listed action', { ceiling: { actions: ['a', 'b'] }, action: 'b', identifier: 'order:1' }, true],
    ['another action', { ceiling: { actions: ['a'] }, action: 'b', identifier: 'order:1' }, false],
    ['the start of an action', { ceiling: { actions: ['a.b'] }, action: 'a', identifier: 'order:1' }, false],
    ['a listed resource', { ceiling: { resources: ['order:1'] }, action: 'a', identifier: 'order:1' }, true],
    ['a longer resource', { ceiling: { resources: ['order:1'] }, action: 'a', identifier: 'order:12' }, false],
    [
      'a resource of a listed class',
      { ceiling: { resources: ['order:*'] }, action: 'a', identifier: 'order:12' },
      true,
    ],
    ['a listed class', { ceiling: { resources: ['order:*'] }, action: 'a', identifier: 'order:*' }, true],
    [
      'a class above a listed resource',
      { ceiling: { resources: ['order:1'] }, action: 'a', identifier: 'order:*' },
      false,
    ],
    ['a class of another kind', { ceiling: { resources: ['order:*'] }, action: 'a', identifier: 'stock:*' }, false],
    ['a list of nothing', { ceiling: { actions: [] }, action: 'a', identifier: 'order:1' }, false],
  ])('isUnderCeiling() decides on %s', (_name, { ceiling, action, identifier }, expected) => {
    expect(isUnderCeiling(ceiling, action, identifier)).toBe(expected)
  })

  test('isUnderCeiling() lets a class through only if each of its members would be', () => {
    const kind = fc.constantFrom('order', 'orders', 'stock')
    const id = fc.constantFrom('1', '12', '2', 'a:b')
    const pattern = fc.oneof(
      kind.map((name) => `${name}:*`),
      fc.tuple(kind, id).map(([name, part]) => `${name}:${part}`),
    )
    fc.assert(
      fc.property(fc.array(pattern, { maxLength: 4 }), pattern, pattern, (resources, identifier, member) => {
        fc.pre(
          !member.endsWith('*') && isUnderCeiling({ resources }, 'a', identifier) && matchResource(identifier, member),
        )
        expect(isUnderCeiling({ resources }, 'a', member)).toBe(true)
      }),
    )
  })
})
