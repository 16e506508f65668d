import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { REASON_WORDS } from '@hallpass/core'
import { describe, expect, test } from 'vitest'

const read = (path: string): string => readFileSync(fileURLToPath(new URL(`../${path}`, import.meta.url)), 'utf8')

/** First cells of the rows of the table under a heading. */
function codesUnder(page: string, heading: string): readonly string[] {
  const section = page.split(/^## /m).find((text) => text.startsWith(heading)) ?? ''
  return [...section.matchAll(/^\| `([^`]+)` \|/gm)].map(([, code = '']) => code)
}

/** Members of a union of string literals in a source file. */
function unionIn(source: string, name: string): readonly string[] {
  const from = source.indexOf(`export type ${name} =`)
  const body = source.slice(from).split(/\n\n|\n\/\*\*|\nexport (?!type)/)[0] ?? ''
  return [...body.matchAll(/^\s+\| '([^']+)'/gm)].map(([, code = '']) => code)
}

describe('docs/errors.md', () => {
  const page = read('docs/errors.md')

  test('says of every reason what the trail says, and of no other', () => {
    expect(codesUnder(page, 'Reasons').toSorted()).toEqual(Object.keys(REASON_WORDS).toSorted())
    for (const [reason, { means, fix }] of Object.entries(REASON_WORDS)) {
      expect(page).toContain(`| \`${reason}\` | ${means} | ${fix} |`)
    }
  })

  test('lists every fault code and no other', () => {
    const codes = unionIn(read('packages/core/src/fault.ts'), 'FaultCode')
    expect(codes.length).toBeGreaterThan(5)
    expect(codesUnder(page, 'Faults').toSorted()).toEqual(codes.toSorted())
  })

  test('lists every problem type of the verifier with its status', () => {
    const source = read('packages/verifier/src/refusal/problem.ts')
    const challenges = [...source.matchAll(/challenge\((\d{3}), '[^']*', \{\s*type: '([^']+)'/g)]
    const problems = [...source.matchAll(/problem\(\s*(\d{3}),\s*'([^']+)'/g)]
    const types = [...challenges, ...problems].map(([, status = '', type = '']) => `\`${type}\` | ${status}`)
    expect(types.length).toBeGreaterThan(15)
    for (const type of types) expect(page).toContain(`| ${type} |`)
    expect([...new Set(codesUnder(page, 'Problems'))].toSorted()).toEqual(
      [...new Set(types.map((type) => type.split('`')[1] ?? ''))].toSorted(),
    )
  })

  test('lists every error of the broker with its status', () => {
    const source = read('packages/broker/src/http/refusal.ts')
    const errors = [...source.matchAll(/^ {2}(\w+): \[(\d{3}),/gm)].map(([, code, status]) => `\`${code}\` | ${status}`)
    expect(errors.length).toBeGreaterThan(8)
    for (const error of errors) expect(page).toContain(`| ${error} |`)
  })
})
