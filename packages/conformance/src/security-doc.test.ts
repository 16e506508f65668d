import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { requirements } from './requirements/index.ts'

const page = readFileSync(new URL('../../../SECURITY.md', import.meta.url), 'utf8')
const cited = new Set([...page.matchAll(/`([a-z-]+\.[a-z0-9-]+)`/g)].map(([, id = '']) => id))

test('SECURITY.md promises nothing that no scenario exercises', () => {
  const exercised = new Set(requirements.filter(({ later }) => later !== true).map(({ id }) => id))
  expect([...cited].filter((id) => !exercised.has(id))).toEqual([])
})

test('SECURITY.md leaves out no requirement', () => {
  expect(requirements.filter(({ id, later }) => later !== true && !cited.has(id)).map(({ id }) => id)).toEqual([])
})
