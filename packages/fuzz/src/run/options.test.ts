import { describe, expect, test } from 'vitest'
import { readOptions } from './options.ts'

const known = ['grant', 'proof']

describe('readOptions()', () => {
  test.each<[readonly string[], object]>([
    [[], { seconds: 60, json: false, only: [], cases: 0 }],
    [['--minutes', '2'], { seconds: 120 }],
    [['--seconds=5', '--seed', '7', '--json'], { seconds: 5, seed: 7, json: true }],
    [['--only', 'grant,proof', '--cases', '100'], { only: ['grant', 'proof'], cases: 100 }],
  ])('reads %j', (args, expected) => {
    expect(readOptions(args, known)).toMatchObject(expected)
  })

  test.each([
    [['--seconds', '0']],
    [['--minutes', 'x']],
    [['--seed', '1.5']],
    [['--only', 'all']],
    [['--what']],
    [['60']],
  ])('says what is wrong with %j', (args) => {
    expect(typeof readOptions(args, known)).toBe('string')
  })
})
