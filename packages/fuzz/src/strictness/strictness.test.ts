import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { strictnessPage } from './page.ts'
import { STRICTNESS } from './strictness.ts'

describe('the written list', () => {
  test('names each reason once', () => {
    expect(new Set(STRICTNESS.map(({ id }) => id)).size).toBe(STRICTNESS.length)
  })

  test.each(STRICTNESS.map((row) => [row.id, row] as const))('%s says what, why and by which clause', (id, row) => {
    expect(id).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/)
    expect([row.refuses, row.why, row.clause].every((text) => text.length > 5)).toBe(true)
  })

  test('docs/strictness.md is made from it (npm run fuzz -- --list > docs/strictness.md)', () => {
    const page = readFileSync(new URL('../../../../docs/strictness.md', import.meta.url), 'utf8')
    expect(page).toBe(strictnessPage())
  })
})
