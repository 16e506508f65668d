import { describe, expect, test } from 'vitest'
import { survey } from './survey.ts'

describe('survey()', () => {
  test.each<[string, string, object]>([
    ['plain JSON', '{"a":[1,{"b":"c"}]}', { isJson: true, depth: 3, hasDuplicate: false, hasOddNumber: false }],
    ['a member twice', '{"a":1,"a":2}', { hasDuplicate: true }],
    ['a member twice, once escaped', '{"a":1,"\\u0061":2}', { hasDuplicate: true }],
    ['a member twice further down', '[{"x":{"a":1,"b":[],"a":2}}]', { hasDuplicate: true }],
    ['one name in two objects', '[{"a":1},{"a":{"a":1}}]', { hasDuplicate: false }],
    ['a value equal to its name', '{"a":"a","b":["a","a"]}', { hasDuplicate: false }],
    ['brackets and commas in text', '{"{a,":"]}\\"","b":1}', { depth: 1, hasDuplicate: false }],
    ['a prototype', '{"__proto__":1}', { hasProto: true }],
    ['a prototype as a value', '["__proto__"]', { hasProto: false }],
    ['half a pair', '["\\ud800"]', { hasLoneSurrogate: true }],
    ['a pair', '["\\ud83d\\ude00"]', { hasLoneSurrogate: false }],
    ['infinity', '[1e999]', { hasOddNumber: true }],
    ['2^53', '[9007199254740992]', { hasOddNumber: true }],
    ['2^53 - 1', '[-9007199254740991,1e22,0.5]', { hasOddNumber: false }],
    ['a byte order mark', '\ufeff{}', { isJson: true, hasByteOrderMark: true }],
    ['no JSON', '{"a":1,"a"}', { isJson: false, hasDuplicate: false }],
  ])('sees %s', (_name, text, expected) => {
    expect(survey(text)).toMatchObject(expected)
  })
})
