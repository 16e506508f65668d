import { describe, expect, test } from 'vitest'
import { isChosen, parseOptions } from './options.ts'

describe('parseOptions()', () => {
  test.each([
    [[], { json: false, quick: false, only: [], profile: undefined }],
    [['--json', '--quick'], { json: true, quick: true, only: [], profile: undefined }],
    [
      ['--only=verify.,deny', '--only', 'http'],
      { json: false, quick: false, only: ['verify.', 'deny', 'http'], profile: undefined },
    ],
    [['--profile=deny.warm'], { json: false, quick: false, only: [], profile: 'deny.warm' }],
  ])('reads %j', (args, expected) => expect(parseOptions(args)).toEqual(expected))

  test('refuses what it does not know', () => expect(() => parseOptions(['--fast'])).toThrow(TypeError))
})

test.each([
  ['verify.warm.dpop', [], true],
  ['verify.warm.dpop', ['verify.warm'], true],
  ['verify.warm.dpop', ['deny', 'verify'], true],
  ['peer.dpop.proof', ['dpop'], false],
] as const)('isChosen() %s of %j: %s', (id, only, chosen) => expect(isChosen(id, only)).toBe(chosen))
