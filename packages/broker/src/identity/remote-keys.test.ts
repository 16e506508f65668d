import { ok, refuse, type Jwk } from '@hallpass/core'
import { describe, expect, test } from 'vitest'
import { keyPair } from '../../test/holder.ts'
import {
  COOL_DOWN_SECONDS,
  discoverKeys,
  FRESH_SECONDS,
  remoteKeys,
  RETRY_SECONDS,
  USABLE_SECONDS,
} from './remote-keys.ts'

const PLACE = 'https://issuer.test/keys'
const jwk = (kid: string, use = 'sig'): Jwk => ({ ...keyPair().publicJwk, kid, use })

/** An issuer whose keys, health and pace a test decides; counts what it is asked. */
function issuer(keys: readonly Jwk[] = [jwk('a')], use: 'sig' | 'jwt-svid' = 'sig') {
  const state = { keys, isUp: true, asked: 0, now: 1_795_300_000 }
  const fetch = async () => {
    state.asked += 1
    await Promise.resolve()
    return state.isUp ? Response.json({ keys: state.keys }) : new Response('', { status: 503 })
  }
  const source = remoteKeys({ locate: async () => ok(PLACE), use, fetch, clock: () => state.now })
  return { state, source }
}

describe('remoteKeys()', () => {
  test('remoteKeys() fetches once for everybody who waits', async () => {
    const { state, source } = issuer()
    const found = await Promise.all(Array.from({ length: 50 }, async () => source.find('a', 'ES256')))
    expect(found.every(({ ok: isFound }) => isFound)).toBe(true)
    expect(state.asked).toBe(1)
  })

  test('remoteKeys() learns a rotated key when a token names it', async () => {
    const { state, source } = issuer()
    await source.find('a', 'ES256')
    state.keys = [jwk('b')]
    state.now += COOL_DOWN_SECONDS
    expect(await source.find('b', 'ES256')).toMatchObject({ ok: true, value: { kid: 'b' } })
    expect(await source.find('a', 'ES256')).toMatchObject({ ok: false, reason: 'token-key-unknown' })
  })

  test('remoteKeys() answers a flood of unknown key ids with one fetch per cool-down', async () => {
    const { state, source } = issuer()
    await source.find('a', 'ES256')
    const flood = () => Promise.all(Array.from({ length: 200 }, async (_, index) => source.find(`x${index}`, 'ES256')))
    await flood()
    expect(state.asked).toBe(1)
    state.now += COOL_DOWN_SECONDS
    await flood()
    await flood()
    expect(state.asked).toBe(2)
  })

  test('remoteKeys() drops a key its issuer has withdrawn when the set is old', async () => {
    const { state, source } = issuer([jwk('a'), jwk('b')])
    await source.find('a', 'ES256')
    state.keys = [jwk('b')]
    state.now += FRESH_SECONDS + 1
    expect(await source.find('a', 'ES256')).toMatchObject({ ok: false, reason: 'token-key-unknown' })
  })

  test('remoteKeys() goes on with a set while its issuer is down, for an hour and no longer', async () => {
    const { state, source } = issuer()
    await source.find('a', 'ES256')
    state.isUp = false
    state.now += USABLE_SECONDS
    expect(await source.find('a', 'ES256')).toMatchObject({ ok: true })
    state.now += 1
    expect(await source.find('a', 'ES256')).toMatchObject({ ok: false, reason: 'keys-unavailable' })
  })

  test('remoteKeys() comes back soon after an issuer that was down at first', async () => {
    const { state, source } = issuer()
    state.isUp = false
    expect(await source.find('a', 'ES256')).toMatchObject({ ok: false, reason: 'keys-unavailable' })
    expect(await source.find('a', 'ES256')).toMatchObject({ ok: false, reason: 'keys-unavailable' })
    expect(state.asked).toBe(1)
    state.isUp = true
    state.now += RETRY_SECONDS
    expect(await source.find('a', 'ES256')).toMatchObject({ ok: true })
  })

  test.each([
    ['keys for encryption', [jwk('a', 'enc')], 'sig' as const],
    ['keys without the use of a trust domain', [jwk('a', 'sig')], 'jwt-svid' as const],
    ['keys of another curve', [{ ...jwk('a'), crv: 'P-384' }], 'sig' as const],
    ['keys of another algorithm', [{ ...jwk('a'), alg: 'ES384' }], 'sig' as const],
    ['two keys of one id', [jwk('a'), jwk('a')], 'sig' as const],
    ['entries that are no keys', [null, 'a', { kid: 'a' }] as never, 'sig' as const],
  ])('remoteKeys() never chooses among %s', async (_name, keys, use) => {
    const { source } = issuer(keys, use)
    expect(await source.find('a', 'ES256')).toMatchObject({ ok: false, reason: 'token-key-unknown' })
  })

  test('remoteKeys() refuses a set without end', async () => {
    const { source } = issuer(Array.from({ length: 101 }, (_, index) => jwk(`k${index}`)))
    expect(await source.find('k1', 'ES256')).toMatchObject({ ok: false, reason: 'keys-unavailable' })
  })
})

describe('discoverKeys()', () => {
  const discovered = (document: object) => discoverKeys('https://issuer.test', async () => Response.json(document))()

  test('discoverKeys() finds the key set of exactly this issuer', async () => {
    expect(await discovered({ issuer: 'https://issuer.test', jwks_uri: PLACE })).toEqual(ok(PLACE))
  })

  test.each([
    ['another issuer', { issuer: 'https://evil.test', jwks_uri: PLACE }],
    ['the issuer with a slash', { issuer: 'https://issuer.test/', jwks_uri: PLACE }],
    ['no key set', { issuer: 'https://issuer.test' }],
    ['a key set over plain http', { issuer: 'https://issuer.test', jwks_uri: 'http://127.0.0.1/keys' }],
  ])('discoverKeys() refuses a document with %s', async (_name, document) => {
    expect(await discovered(document)).toMatchObject(refuse('keys-unavailable'))
  })
})
