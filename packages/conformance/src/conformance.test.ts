import { describe, expect, test } from 'vitest'
import { requirements } from './requirements/index.ts'
import { runScenario } from './run-scenario.ts'
import { scenarios } from './scenarios/index.ts'
import type { DoorName } from './stage/doors.ts'

const doors: readonly DoorName[] = ['fetch', 'express', 'fastify', 'hono']

describe('requirements', () => {
  const cited = new Set(scenarios.flatMap(({ verifies }) => verifies))

  test('every requirement that is not for later is exercised', () => {
    expect(requirements.filter(({ id, later }) => later !== true && !cited.has(id)).map(({ id }) => id)).toEqual([])
  })
  test('every scenario cites requirements that exist and are not for later', () => {
    const known = new Set(requirements.filter(({ later }) => later !== true).map(({ id }) => id))
    expect([...cited].filter((id) => !known.has(id))).toEqual([])
  })
  test('ids are unique', () => {
    expect(new Set(requirements.map(({ id }) => id)).size).toBe(requirements.length)
  })
})

describe.each(doors)('behind %s', (door) => {
  test.each(scenarios.filter(({ on }) => on === 'doors').map((scenario) => [scenario.title, scenario] as const))(
    '%s',
    async (_title, scenario) => expect(await runScenario(scenario, door)).toBeUndefined(),
    60_000,
  )
})

describe('once', () => {
  test.each(scenarios.filter(({ on }) => on === 'once').map((scenario) => [scenario.title, scenario] as const))(
    '%s',
    async (_title, scenario) => expect(await runScenario(scenario, 'fetch')).toBeUndefined(),
    60_000,
  )
})
