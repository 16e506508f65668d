import { describe, expect, test } from 'vitest'
import { isObject, member } from './is-object.ts'
import type { JsonObject, JsonValue } from './value.ts'

describe('isObject()', () => {
  test.each<[JsonValue | undefined, boolean]>([
    [{}, true],
    [{ a: null }, true],
    [Object.create(null) as JsonObject, true],
    [[], false],
    [[{}], false],
    [null, false],
    [undefined, false],
    ['{}', false],
    [1, false],
    [true, false],
  ])('of %j: %s', (value, expected) => {
    expect(isObject(value)).toBe(expected)
  })
})

describe('member()', () => {
  test.each<[string, JsonValue | undefined]>([
    ['a', 1],
    ['b', null],
    ['c', undefined],
    ['toString', undefined],
    ['__proto__', undefined],
  ])('%s is %j', (name, value) => {
    expect(member({ a: 1, b: null }, name)).toBe(value)
  })
})
