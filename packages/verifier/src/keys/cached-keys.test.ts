import type { JwkSet } from '@hallpass/core'
import { describe, expect, test } from 'vitest'
import { newKeyPair } from '../../test/test-issuer.ts'
import type { KeySource } from './cached-keys.ts'
import { cachedKeys } from './cached-keys.ts'

const pair = newKeyPair()
const key = (kid: string, more: object = {}) => ({ ...pair.publicJwk, kid, alg: 'ES256', use: 'sig', ...more })

function setUp(set: JwkSet = { keys: [key('a')] }, timing: Partial<KeySource> = {}) {
  const state = { set, loads: 0, fails: false }
  const keys = cachedKeys(
    {
      load: async () => {
        state.loads += 1
        if (state.fails) throw new Error('down')
        return state.set
      },
      refreshSeconds: 300,
      staleSeconds: 900,
      coolDownSeconds: 30,
      retrySeconds: 1,
      ...timing,
    },
    ['ES256'],
  )
  const find = async (kid: string, now: number, algorithm = 'ES256') => {
    const found = await keys.find(kid, algorithm, now)
    return found.ok ? found.value.kid : found.reason
  }
  return { state, keys, find }
}

describe('cachedKeys()', () => {
  test('loads once for keys it knows', async () => {
    const { state, find } = setUp()
    expect([await find('a', 0), await find('a', 1), state.loads]).toEqual(['a', 'a', 1])
  })

  test('joins parallel finds into one load', async () => {
    const { state, find } = setUp()
    await Promise.all(Array.from({ length: 20 }, async () => find('a', 0)))
    expect(state.loads).toBe(1)
  })

  test('tries again at once on a clock that was set back', async () => {
    const { state, find } = setUp()
    state.fails = true
    expect(await find('a', 300)).toBe('keys-unavailable')
    state.fails = false
    expect([await find('a', 0), state.loads]).toEqual(['a', 2])
  })

  test('asks for the keys again on a clock that was set back, so that a dropped key does not live on', async () => {
    const { state, keys, find } = setUp()
    await find('a', 10_000)
    state.set = { keys: [key('b')] }
    expect([keys.current(1000), state.loads]).toEqual([true, 2])
    await Promise.resolve()
    expect([await find('b', 1000), await find('a', 1000)]).toEqual(['b', 'token-key-unknown'])
  })

  test('a clock that was set back makes no set last longer where the next cannot be had', async () => {
    const { state, keys, find } = setUp()
    await find('a', 100_000)
    state.fails = true
    expect([await find('a', 1000), keys.current(1599)]).toEqual(['a', true])
    expect([await find('a', 1601), keys.current(1601)]).toEqual(['keys-unavailable', false])
  })

  test('asks for nothing while the set is new, also after the cool-down', async () => {
    const { state, keys, find } = setUp()
    expect([await find('a', 1000), await find('a', 1100), keys.current(1299)]).toEqual(['a', 'a', true])
    expect(state.loads).toBe(1)
    expect([keys.current(1300), state.loads]).toEqual([true, 2])
  })

  test('a set is stale beyond its last second, not in it', async () => {
    const { state, keys, find } = setUp()
    await find('a', 0)
    state.fails = true
    expect([keys.current(900), await find('a', 900), await find('b', 900)]).toEqual([true, 'a', 'token-key-unknown'])
    expect([keys.current(900.1), await find('a', 900.1)]).toEqual([false, 'keys-unavailable'])
  })

  test('waits longer after each failed load, at most the cool-down, and not at all after a good one', async () => {
    const { state, find } = setUp(undefined, { coolDownSeconds: 5, retrySeconds: 2 })
    state.fails = true
    const loadsAt = async (now: number) => (await find('a', now), state.loads)
    const first = [await loadsAt(0), await loadsAt(0), await loadsAt(1.9), await loadsAt(2)]
    const second = [await loadsAt(5.9), await loadsAt(6)]
    const third = [await loadsAt(10.9), await loadsAt(11), await loadsAt(15.9)]
    expect([first, second, third]).toEqual([
      [1, 1, 1, 2],
      [2, 3],
      [3, 4, 4],
    ])
    state.fails = false
    expect(await find('a', 16)).toBe('a')
    state.fails = true
    expect([await loadsAt(316), await loadsAt(317.9), await loadsAt(318)]).toEqual([6, 6, 7])
  })

  test('waits as long as it is told where there is no cool-down', async () => {
    const { state, find } = setUp(undefined, { coolDownSeconds: 0, retrySeconds: 2 })
    state.fails = true
    const loadsAt = async (now: number) => (await find('a', now), state.loads)
    expect([await loadsAt(0), await loadsAt(1.9), await loadsAt(2), await loadsAt(4)]).toEqual([1, 1, 2, 3])
  })

  test('asks for an unknown key again in the moment the cool-down is over', async () => {
    const { state, find } = setUp()
    await find('a', 0)
    expect([await find('b', 29.9), state.loads, await find('b', 30), state.loads]).toEqual([
      'token-key-unknown',
      1,
      'token-key-unknown',
      2,
    ])
  })

  test('stays synchronous with a source that is, and takes its failures the same', () => {
    const state = { fails: false, loads: 0 }
    const keys = cachedKeys(
      {
        load() {
          state.loads += 1
          if (state.fails) throw new Error('down')
          return { keys: [key('a')] }
        },
        refreshSeconds: 300,
        staleSeconds: 900,
        coolDownSeconds: 30,
        retrySeconds: 1,
      },
      ['ES256'],
    )
    expect(keys.find('a', 'ES256', 0)).toMatchObject({ ok: true, value: { kid: 'a' } })
    state.fails = true
    expect(keys.find('a', 'ES256', 900)).toMatchObject({ ok: true, value: { kid: 'a' } })
    expect(keys.find('a', 'ES256', 901)).toMatchObject({ ok: false, reason: 'keys-unavailable' })
    expect([keys.find('a', 'ES256', 901.5), state.loads]).toMatchObject([{ ok: false, reason: 'keys-unavailable' }, 3])
    state.fails = false
    expect(keys.find('a', 'ES256', 910)).toMatchObject({ ok: true, value: { kid: 'a' } })
  })

  test('a flood of unknown key ids costs the issuer one load per cool-down', async () => {
    const { state, find } = setUp()
    const flood = async (now: number) =>
      Promise.all(Array.from({ length: 100 }, async (_, index) => find(`x${now}-${index}`, now)))
    expect(new Set(await flood(0))).toEqual(new Set(['token-key-unknown']))
    await flood(10)
    await flood(29)
    expect(state.loads).toBe(1)
    await flood(31)
    expect(state.loads).toBe(2)
  })

  test('finds a new key after the cool-down', async () => {
    const { state, find } = setUp()
    await find('a', 0)
    state.set = { keys: [key('a'), key('b')] }
    expect([await find('b', 5), await find('b', 31)]).toEqual(['token-key-unknown', 'b'])
  })

  test('says keys-unavailable where none was ever had, and tries again soon', async () => {
    const { state, find } = setUp()
    state.fails = true
    expect([await find('a', 0), await find('a', 0.5), state.loads]).toEqual(['keys-unavailable', 'keys-unavailable', 1])
    state.fails = false
    expect(await find('a', 1.5)).toBe('a')
  })

  test('keeps the last set while loads fail, until it is stale', async () => {
    const { state, find, keys } = setUp()
    await find('a', 0)
    state.fails = true
    expect([await find('a', 400), keys.current(800)]).toEqual(['a', true])
    expect([await find('a', 901), keys.current(901)]).toEqual(['keys-unavailable', false])
  })

  test('a key that left the set is dead, and so is one whose material changed', async () => {
    const { state, keys, find } = setUp({ keys: [key('a'), key('b')] })
    const [a, b] = [await keys.find('a', 'ES256', 0), await keys.find('b', 'ES256', 0)]
    state.set = { keys: [{ ...newKeyPair().publicJwk, kid: 'b', alg: 'ES256' }] }
    await find('none', 31)
    expect([a.ok && a.value.live, b.ok && b.value.live]).toEqual([false, false])
  })

  test.each([
    { name: 'a private key', jwk: key('a', { d: 'AAAA' }) },
    { name: 'a key for encryption', jwk: key('a', { use: 'enc' }) },
    { name: 'a key for another algorithm', jwk: key('a', { alg: 'ES384' }) },
    { name: 'a symmetric key', jwk: { kty: 'oct', kid: 'a', alg: 'HS256', k: 'AAAA' } },
    { name: 'a point that is not on the curve', jwk: key('a', { x: pair.publicJwk['y'] }) },
  ])('never uses $name', async ({ jwk }) => {
    const { find } = setUp({ keys: [jwk] })
    expect(await find('a', 0)).toBe('token-key-unknown')
  })

  test('never uses a key id that two keys have', async () => {
    const { find } = setUp({ keys: [key('a'), { ...newKeyPair().publicJwk, kid: 'a', alg: 'ES256' }] })
    expect(await find('a', 0)).toBe('token-key-unknown')
  })

  test('never uses a key under another algorithm than its own', async () => {
    const { find } = setUp()
    expect(await find('a', 0, 'ES384')).toBe('token-key-unknown')
  })
})
