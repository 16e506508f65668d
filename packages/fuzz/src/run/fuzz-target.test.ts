import { expect, test } from 'vitest'
import { BOTH, defineTarget, difference } from '../target/target.ts'
import { fuzzTarget, minimise } from './fuzz-target.ts'
import { newTally } from './tally.ts'

/** A reader with a fault: it takes a text for the same as long as nobody writes a 7 into it. */
const faulty = defineTarget<{ readonly text: string }>({
  name: 'faulty',
  about: 'a planted fault',
  make: (random) => ({ text: Array.from({ length: 20 }, () => random.below(40)).join('') }),
  judge: ({ text }) => (text.includes('37') ? difference('faulty: cannot read 37') : BOTH),
})

test('fuzzTarget() finds a planted fault, and minimise() makes it small', async () => {
  const tally = newTally('faulty')
  const findings = await fuzzTarget(faulty, tally, { seed: 1, from: 0, to: 200 })
  expect(tally).toMatchObject({ cases: 200, differences: findings.length })
  expect(findings.length).toBeGreaterThan(5)
  const [first] = findings
  expect(first && (await minimise(faulty, first))).toEqual({
    target: 'faulty',
    what: 'faulty: cannot read 37',
    input: { text: '37' },
  })
})

test('fuzzTarget() counts what throws as a difference', async () => {
  const throwing = defineTarget<string>({
    name: 'throwing',
    about: 'a fault that throws',
    make: () => 'a',
    judge: () => {
      throw new TypeError('no')
    },
  })
  const findings = await fuzzTarget(throwing, newTally('throwing'), { seed: 1, from: 0, to: 3 })
  expect(findings.map(({ what }) => what)).toEqual(Array.from({ length: 3 }, () => 'throwing: threw TypeError: no'))
})
