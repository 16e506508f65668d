import type { FeedRun } from '@hallpass/core'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FeedState } from './feed-state.ts'

const T0 = 1_800_000_000
const URI = 'https://broker.example/status/mem_1-a-0'
const FAR = T0 + 10_000

const run = (changes: Partial<FeedRun> = {}): FeedRun => ({
  incarnation: 'mem_1',
  prev: null,
  cursor: 'c0',
  at: T0,
  complete: true,
  dead: [],
  ...changes,
})
const dead = (...idx: number[]) => [{ uri: URI, until: FAR, idx }]
const grant = (idx: number, iat = T0) => ({ iat, uri: URI, idx })
const listsOf = (incarnation: string) => `https://broker.example/status/${incarnation}-`
const newState = (maxBytes?: number) =>
  new FeedState({ skewSeconds: 5, listsOf, ...(maxBytes !== undefined && { maxBytes }) })

describe('FeedState', () => {
  test('knows nothing before a whole run from the start', () => {
    const state = newState()
    expect([state.staleness(T0), state.cursor]).toEqual([Infinity, undefined])
    expect(state.apply(run({ complete: false, dead: dead(1) }), T0)).toBe('applied')
    expect([state.staleness(T0), state.isDead(grant(1)), state.cursor]).toEqual([Infinity, true, 'c0'])
    expect(state.apply(run({ prev: 'c0', cursor: 'c1' }), T0)).toBe('applied')
    expect([state.staleness(T0 + 3), state.cursor, state.isDead(grant(2))]).toEqual([3, 'c1', false])
  })

  test('counts its age from the time the log was read, and a clock set back makes it no younger', () => {
    const state = newState()
    state.apply(run({ at: T0 - 2 }), T0)
    expect([state.staleness(T0), state.staleness(T0 + 8), state.staleness(T0 + 4)]).toEqual([2, 10, 10])
  })

  test('knows no age on a clock set back so far that the messages of now are from its future', () => {
    const state = newState()
    state.apply(run(), T0)
    expect([state.staleness(T0), state.staleness(T0 - 6), state.staleness(T0 - 5)]).toEqual([0, Infinity, 0])
  })

  test('believes no time whose message does not follow, but what it says is dead is dead', () => {
    const state = newState()
    state.apply(run(), T0)
    expect(state.apply(run({ prev: 'c8', cursor: 'c9', at: T0 + 9, dead: dead(7) }), T0 + 9)).toBe('out-of-sequence')
    expect([state.cursor, state.asOf, state.isDead(grant(7))]).toEqual(['c0', T0, true])
  })

  test('takes what it has already for what it is', () => {
    const state = newState()
    state.apply(run(), T0)
    const next = run({ prev: 'c0', cursor: 'c1', at: T0 + 1, dead: dead(1) })
    expect([state.apply(next, T0 + 1), state.apply(next, T0 + 1)]).toEqual(['applied', 'repeated'])
    const beat = run({ prev: 'c1', cursor: 'c1', at: T0 + 2 })
    expect([state.apply(beat, T0 + 2), state.apply(beat, T0 + 2)]).toEqual(['applied', 'applied'])
  })

  test('does not grow younger by an older time', () => {
    const state = newState()
    state.apply(run({ at: T0 + 10 }), T0 + 10)
    state.apply(run({ prev: 'c0', cursor: 'c1', at: T0 + 8 }), T0 + 10)
    expect(state.asOf).toBe(T0 + 10)
  })

  test('does not begin again at a state older than what it knows', () => {
    const state = newState()
    state.apply(run({ at: T0 + 10, everything: 'stopped' }), T0 + 10)
    expect(state.apply(run({ cursor: 'c9', at: T0 + 9.9 }), T0 + 10)).toBe('rolled-back')
    expect([state.cursor, state.isDead(grant(1, FAR))]).toEqual(['c0', true])
    expect(state.apply(run({ cursor: 'c9', at: T0 + 10 }), T0 + 10)).toBe('applied')
    expect([state.cursor, state.asOf]).toEqual(['c9', T0 + 10])
  })

  test('does not end a run from the start with an older reading of its rest', () => {
    const state = newState()
    state.apply(run({ at: T0 + 10, everything: 'stopped' }), T0 + 10)
    state.apply(run({ cursor: 'c1', at: T0 + 10, complete: false }), T0 + 10)
    state.apply(run({ prev: 'c1', cursor: 'c2', at: T0 + 5 }), T0 + 10)
    expect(state.isDead(grant(1, FAR))).toBe(true)
    state.apply(run({ prev: 'c2', cursor: 'c3', at: T0 + 11 }), T0 + 11)
    expect(state.isDead(grant(1, FAR))).toBe(false)
  })

  test('follows another life of the store, forgets nothing by it, and never goes back to a life it left', () => {
    const state = newState()
    state.apply(run({ dead: dead(1) }), T0)
    expect(state.apply(run({ prev: 'c0', incarnation: 'mem_2', at: T0 + 1 }), T0 + 1)).toBe('out-of-sequence')
    expect(state.apply(run({ incarnation: 'mem_2', at: T0 + 1 }), T0 + 1)).toBe('applied')
    expect(state.isDead(grant(1))).toBe(true)
    expect(state.apply(run({ at: T0 + 2 }), T0 + 2)).toBe('rolled-back')
  })

  test('tells the grants of the life it follows from those of lives it left, and of others', () => {
    const state = newState()
    const lives = () => ['mem_1', 'mem_2', 'mem_22'].map((life) => state.lifeOf(`${listsOf(life)}a-0`))
    expect(lives()).toEqual(['unknown', 'unknown', 'unknown'])
    state.apply(run(), T0)
    expect(lives()).toEqual(['followed', 'unknown', 'unknown'])
    state.apply(run({ incarnation: 'mem_2', at: T0 + 1 }), T0 + 1)
    expect(lives()).toEqual(['left', 'followed', 'unknown'])
    state.apply(run({ at: T0 + 2 }), T0 + 2)
    expect([...lives(), state.lifeOf('https://evil.example/status/mem_2-a-0')]).toEqual([
      'left',
      'followed',
      'unknown',
      'unknown',
    ])
  })

  test('refuses everything while the kill switch is on, and afterwards what was issued before the cut-off', () => {
    const state = newState()
    state.apply(run(), T0)
    state.apply(run({ prev: 'c0', cursor: 'c1', everything: 'stopped' }), T0)
    expect([state.isDead(grant(1)), state.isDead(grant(1, FAR))]).toEqual([true, true])
    state.apply(run({ prev: 'c1', cursor: 'c2', everything: T0 + 20 }), T0)
    expect([state.isDead(grant(1, T0 + 20)), state.isDead(grant(1, T0 + 21))]).toEqual([true, false])
  })

  test('keeps the kill switch on until a run from the start is whole and says otherwise', () => {
    const state = newState()
    state.apply(run({ everything: 'stopped' }), T0)
    state.apply(run({ at: T0 + 1, complete: false }), T0 + 1)
    expect(state.isDead(grant(1, FAR))).toBe(true)
    state.apply(run({ prev: 'c0', cursor: 'c1', at: T0 + 1 }), T0 + 1)
    expect([state.isDead(grant(1, T0)), state.isDead(grant(1, FAR))]).toEqual([false, false])
  })

  test('lets another life of the store forget the kill switch only for what is issued from then on', () => {
    const state = newState()
    state.apply(run({ everything: 'stopped' }), T0)
    state.apply(run({ incarnation: 'mem_2', at: T0 + 1 }), T0 + 1)
    expect([state.isDead(grant(1, T0 + 6)), state.isDead(grant(1, T0 + 7))]).toEqual([true, false])
  })

  test('begins again, and knows nothing, when there is more than it may hold', () => {
    const state = newState(2000)
    state.apply(run({ dead: dead(1) }), T0)
    expect(state.apply(run({ prev: 'c0', cursor: 'c1', dead: dead(100_000) }), T0)).toBe('full')
    expect([state.staleness(T0), state.cursor, state.bytes]).toEqual([Infinity, undefined, 0])
  })

  test('forgets a list once every grant in it has expired on every clock', () => {
    const state = newState()
    state.apply(run({ dead: [{ uri: URI, until: T0 + 60, idx: [1] }] }), T0)
    state.apply(run({ prev: 'c0', at: T0 + 69 }), T0 + 69)
    expect([state.isDead(grant(1)), state.lists]).toEqual([true, 1])
    const other = [{ uri: 'https://broker.example/status/mem_1-b-0', until: FAR, idx: [1] }]
    state.apply(run({ prev: 'c0', at: T0 + 80, dead: other }), T0 + 80)
    expect([state.isDead(grant(1)), state.lists]).toEqual([false, 1])
  })
})

/** One life of a store: at each time, a grant dies, or the kill switch is turned. */
type Happened = { readonly t: number; readonly what: number | 'stop' | 'lift' }
interface Life {
  readonly name: string
  readonly log: readonly Happened[]
}

/** Every message a broker might truly sign about one stretch of the log of a life. */
function messageOf({ name, log }: Life, { from, size, t }: { from: number | null; size: number; t: number }): FeedRun {
  const there = log.filter((entry) => entry.t <= t).length
  const start = Math.min(from ?? 0, there)
  const end = Math.min(start + size, there)
  const entries = log.slice(start, end)
  const turned = entries.findLast(({ what }) => typeof what !== 'number')
  const everything = turned?.what === 'stop' ? 'stopped' : turned && T0 + turned.t + 5
  return {
    incarnation: name,
    prev: from === null ? null : `${name}.${start}`,
    cursor: `${name}.${end}`,
    at: T0 + t,
    complete: end === there,
    ...(everything !== undefined && { everything }),
    dead: [{ uri: name, until: FAR, idx: entries.flatMap(({ what }) => (typeof what === 'number' ? [what] : [])) }],
  }
}

const aLog = fc.array(
  fc.record({
    t: fc.nat(40),
    what: fc.oneof({ weight: 6, arbitrary: fc.nat(60) }, { weight: 1, arbitrary: fc.constantFrom('stop', 'lift') }),
  }),
  { maxLength: 30 },
)
const aMessage = fc.record({
  life: fc.nat(1),
  from: fc.option(fc.nat(30), { nil: null, freq: 4 }),
  size: fc.integer({ min: 1, max: 12 }),
  t: fc.nat(60),
})

/** Whether the state holds what the log of the life it follows says up to the time that the state claims. */
function holds(state: FeedState, lives: readonly Life[]): boolean {
  const life = lives.find(({ name }) => state.cursor?.startsWith(`${name}.`))
  if (life === undefined) return true
  const { name, log } = life
  const past = log.filter((entry) => T0 + entry.t <= state.asOf)
  const knowsKills = past.every(
    ({ what }) => typeof what !== 'number' || state.isDead({ uri: name, idx: what, iat: FAR }),
  )
  const turned = past.findLast(({ what }) => typeof what !== 'number')
  if (turned === undefined) return knowsKills
  const knowsPast = state.isDead({ uri: name, idx: 61, iat: T0 + turned.t })
  const isLifted = turned.what === 'lift' || log.some(({ t, what }) => t >= turned.t && what === 'lift')
  return knowsKills && knowsPast && (isLifted || state.isDead({ uri: name, idx: 61, iat: FAR }))
}

/** Whether it calls something dead that never died. */
function slanders(state: FeedState, { name, log }: Life): boolean {
  const ever = new Set(log.map(({ what }) => what))
  return Array.from({ length: 61 }, (_, idx) => idx).some(
    (idx) => !ever.has(idx) && state.isDead({ uri: name, idx, iat: FAR }),
  )
}

test('FeedState never takes for alive what the log up to the time it claims says is dead, whatever comes in whatever order', () => {
  const property = fc.property(
    fc.tuple(aLog, aLog),
    fc.array(aMessage, { minLength: 1, maxLength: 40 }),
    fc.boolean(),
    (logs, wishes, inOrder) => {
      const lives = logs.map((log, index): Life => {
        // The second life begins when the first is over.
        const shifted = log.map(({ t, what }) => ({ t: t + 40 * index, what }))
        return { name: `mem_${index}`, log: shifted.toSorted((a, b) => a.t - b.t) }
      })
      const neverStopped = lives.every(({ log }) => log.every(({ what }) => what !== 'stop'))
      const state = newState()
      return wishes.every((wish) => {
        const life = lives[wish.life]
        if (life === undefined) return false
        const [name, place] = state.cursor?.split('.') ?? []
        // Half of the runs follow the chain where they can, so that long ones are whole too.
        const from = inOrder && name === life.name ? Number(place) : wish.from
        state.apply(messageOf(life, { ...wish, from, t: wish.t + 40 * wish.life }), T0 + 100)
        return holds(state, lives) && !(neverStopped && lives.some((each) => slanders(state, each)))
      })
    },
  )
  const outcome = fc.check(property, { numRuns: 2000 })
  expect(fc.defaultReportMessage(outcome)).toBeUndefined()
})
