import { describe, expect, test } from 'vitest'
import { runSuites } from './run-suites.ts'
import type { Suite } from './suite.ts'
import { suites } from './suites.ts'

const SMOKE = { rounds: 1, slice: 2, baselineSlice: 2, warmUp: 1 } as const
const quiet = (): void => {}
const run = (list: readonly Suite[], isChosen: (id: string) => boolean = () => true) =>
  runSuites(list, { pace: SMOKE, isChosen, progress: quiet })

/** A suite with one row, and what can go wrong with it. */
function suite(more: {
  readonly check?: () => Promise<void>
  readonly run?: () => void
  readonly isEmpty?: true
}): Suite {
  const work = { run: more.run ?? (() => {}) }
  const entry = { id: 'row', check: more.check ?? (async () => {}), work, baseline: work }
  return {
    rows: [{ id: 'row', aim: 1, better: 'lower', measure: 'wall', baseline: 'itself', work: 'nothing' }],
    open: async () => ({ entries: more.isEmpty === true ? [] : [entry] }),
  }
}
const fails = async (): Promise<void> => {
  throw new Error('it let a replay through')
}

describe('runSuites()', () => {
  test('times a row whose check holds', async () => {
    const { rows, broken } = await run([suite({ run: () => void Math.sqrt(2) })])
    expect(rows.map(({ id }) => id)).toEqual(['row'])
    expect(broken).toEqual([])
  })

  test('times nothing of a suite whose path does not refuse what it must', async () => {
    let timed = 0
    const { rows, broken } = await run([suite({ check: fails, run: () => void (timed += 1) })])
    expect({ rows, timed }).toEqual({ rows: [], timed: 0 })
    expect(broken).toEqual([{ id: 'row', problem: 'it let a replay through' }])
  })

  test.each([
    ['brings no work for a row', suite({ isEmpty: true })],
    ['goes wrong while it is timed', suite({ run: () => void JSON.parse('{') })],
    ['cannot be opened', { ...suite({}), open: () => Promise.reject(new Error('no broker')) }],
  ])('reports a suite that %s', async (_, one) => {
    const { rows, broken } = await run([one])
    expect(rows).toEqual([])
    expect(broken.map(({ id }) => id)).toEqual(['row'])
  })

  test('goes on with the other suites', async () => {
    const other = { ...suite({}), rows: suite({}).rows }
    const { rows, broken } = await run([suite({ check: fails }), other])
    expect([rows.length, broken.length]).toEqual([1, 1])
  })
})

describe('the suites', () => {
  test('name every row once', () => {
    const ids = suites.flatMap(({ rows }) => rows.map(({ id }) => id))
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([])
  })

  test('give every row of the design its aim, and no peer one', () => {
    const aims = Object.fromEntries(suites.flatMap(({ rows }) => rows.map(({ id, aim }) => [id, aim])))
    expect(aims).toMatchObject({
      'verify.warm.bearer': 0.02,
      'verify.cold.bearer': 1.2,
      'verify.warm.dpop': 1.2,
      'verify.cold.dpop': 2.5,
      'verify.pool': 1.4,
      'verify.cold.dpop.newkey': 4,
      'deny.warm': 0.02,
      'deny.expired': 0.1,
      'deny.forged': 1.3,
      'client.proof': 1.2,
      'redeem.memory': 40,
      'audit.append': 0.75,
      'audit.durable': 10,
      'issue.inprocess': 1.3,
      'http.express.warm.dpop': 0.8,
      'http.express.warm.bearer': 0.9,
      'http.fastify.warm.dpop': 0.75,
      'http.fastify.warm.bearer': 0.6,
      'revocation.feed': 50,
      'revocation.memory': 2,
    })
    expect(Object.entries(aims).filter(([id, aim]) => id.startsWith('peer.') && aim !== null)).toEqual([])
  })

  test('run: one row through its checks and the clock', async () => {
    const { rows, broken } = await run(suites, (id) => id === 'verify.warm.dpop')
    expect(broken).toEqual([])
    expect(rows).toMatchObject([
      { id: 'verify.warm.dpop', aim: 1.2, better: 'lower', baseline: 'ES256 verify', rounds: 1 },
    ])
  })
})
