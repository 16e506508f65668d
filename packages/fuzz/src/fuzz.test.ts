import { describe, expect, test } from 'vitest'
import { readCorpus } from './corpus.ts'
import { fuzzTarget } from './run/fuzz-target.ts'
import { judgeCase } from './run/judge-case.ts'
import { newTally } from './run/tally.ts'
import { isListed } from './strictness/strictness.ts'
import { TARGETS } from './target/targets.ts'

/** As many as fit into a few seconds; `npm run fuzz` goes on from there. */
const CASES = 400
const OWN_LISTS = ['decimal-form', 'decimal-size', 'url-two-readings', 'query-form']

describe('every target', () => {
  test('has a name of its own', () => {
    expect(new Set(TARGETS.map(({ name }) => name)).size).toBe(TARGETS.length)
  })

  test.each(TARGETS.map((target) => [target.name, target] as const))(
    '%s agrees with its judge, or is stricter for a written reason',
    async (name, target) => {
      const tally = newTally(name)
      const findings = await fuzzTarget(target, tally, { seed: 1, from: 0, to: CASES })
      expect(findings).toEqual([])
      expect(tally.both).toBeGreaterThan(CASES / 50)
      expect(tally.neither).toBeGreaterThan(CASES / 50)
      expect(Object.keys(tally.stricter).filter((id) => !isListed(id) && !OWN_LISTS.includes(id))).toEqual([])
    },
    60_000,
  )
})

describe('what was found before', () => {
  const entries = [...readCorpus()].map(([file, entry]) => [file, entry] as const)

  test.each(entries)('%s', async (_file, { target: name, input, expect: kind }) => {
    const target = TARGETS.find((one) => one.name === name)
    const verdict = target && (await judgeCase(target, input))
    expect(verdict?.kind).toBe(kind)
  })
})
