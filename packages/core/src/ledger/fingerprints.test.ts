import { describe, expect, test } from 'vitest'
import { fingerprints } from './fingerprints.ts'

const textOf = ({ a, b }: { readonly a: number; readonly b: number }) => `${a} ${b}`

describe('fingerprints()', () => {
  test('are the same for the same text, and for each other text another', () => {
    const of = fingerprints()
    const texts = Array.from({ length: 20_000 }, (_, index) => `proof-${index}`)
    expect(new Set(texts.map((text) => textOf(of(text)))).size).toBe(texts.length)
    expect(texts.every((text) => textOf(of(text)) === textOf(of(`${text.slice(0, 3)}${text.slice(3)}`)))).toBe(true)
  })

  test('tell apart where one text ends and the next begins', () => {
    const of = fingerprints()
    const pairs = [
      ['ab', 'c'],
      ['a', 'bc'],
      ['abc', ''],
      ['', 'abc'],
    ] as const
    expect(new Set(pairs.map(([first, then]) => textOf(of(then, of(first))))).size).toBe(pairs.length)
  })

  test('cannot be worked out in advance: each ledger has its own', () => {
    const both = [fingerprints(), fingerprints()].map((of) => textOf(of('proof')))
    expect(new Set(both).size).toBe(2)
  })

  test('spread over the slots of a table in both halves', () => {
    const of = fingerprints()
    const all = Array.from({ length: 4096 }, (_, index) => of(`proof-${index}`))
    // Of 4096 random picks among 256, each is met 16 times on average; none or 64 times is as good as impossible.
    for (const half of [all.map(({ a }) => a), all.map(({ b }) => b)]) {
      const met = new Map<number, number>()
      for (const value of half) met.set(value & 255, (met.get(value & 255) ?? 0) + 1)
      expect(met.size).toBeGreaterThan(250)
      expect(Math.max(...met.values())).toBeLessThan(64)
    }
  })
})
