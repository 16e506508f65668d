import fc from 'fast-check'
import { matchResource } from '@hallpass/core'
import { describe, expect, test } from 'vitest'
import { isUnderCeiling } from './ceiling.ts'

describe('isUnderCeiling()', () => {
  test.each([
    ['no ceiling', undefined, 'a', 'order:1', true],
    ['an empty ceiling', {}, 'a', 'order:*', true],
    ['a listed action', { actions: ['a', 'b'] }, 'b', 'order:1', true],
    ['another action', { actions: ['a'] }, 'b', 'order:1', false],
    ['the start of an action', { actions: ['a.b'] }, 'a', 'order:1', false],
    ['a listed resource', { resources: ['order:1'] }, 'a', 'order:1', true],
    ['a longer resource', { resources: ['order:1'] }, 'a', 'order:12', false],
    ['a resource of a listed class', { resources: ['order:*'] }, 'a', 'order:12', true],
    ['a listed class', { resources: ['order:*'] }, 'a', 'order:*', true],
    ['a class above a listed resource', { resources: ['order:1'] }, 'a', 'order:*', false],
    ['a class of another kind', { resources: ['order:*'] }, 'a', 'stock:*', false],
    ['a list of nothing', { actions: [] }, 'a', 'order:1', false],
  ])('isUnderCeiling() decides on %s', (_name, ceiling, action, identifier, expected) => {
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
      fc.property(fc.array(pattern, { maxLength: 4 }), pattern, kind, id, (resources, identifier, name, part) => {
        const member = `${name}:${part}`
        fc.pre(isUnderCeiling({ resources }, 'a', identifier) && matchResource(identifier, member))
        return isUnderCeiling({ resources }, 'a', member)
      }),
    )
  })
})
