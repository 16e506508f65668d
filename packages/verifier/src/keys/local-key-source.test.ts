import type { JwkSet } from '@hallpass/core'
import { expect, test } from 'vitest'
import { newKeyPair } from '../../test/test-issuer.ts'
import { cachedKeys } from './cached-keys.ts'
import { localKeySource } from './local-key-source.ts'

const jwk = (kid: string) => ({ ...newKeyPair().publicJwk, kid })

test('localKeySource() gives new keys at once, and keeps a dropped one for a second at most', async () => {
  const broker = { keys: [jwk('a')], jwks: (): JwkSet => ({ keys: broker.keys }) }
  const keys = cachedKeys(localKeySource(broker), ['ES256'])
  const find = async (kid: string, now: number) => {
    const found = await keys.find(kid, 'ES256', now)
    return found.ok ? found.value.kid : found.reason
  }
  expect(await find('a', 0)).toBe('a')
  broker.keys = [jwk('b')]
  expect([await find('a', 0.9), await find('b', 0.9), await find('a', 0.9)]).toEqual(['a', 'b', 'token-key-unknown'])
  broker.keys = [jwk('c')]
  expect([await find('b', 1.8), await find('b', 1.91)]).toEqual(['b', 'token-key-unknown'])
})

test('localKeySource() lets a set go after a minute in which there was no other', async () => {
  const broker = {
    works: true,
    jwks(): JwkSet {
      if (!broker.works) throw new Error('closed')
      return { keys: [jwk('a')] }
    },
  }
  const keys = cachedKeys(localKeySource(broker), ['ES256'])
  await keys.find('a', 'ES256', 0)
  broker.works = false
  expect([keys.current(60), keys.current(60.1)]).toEqual([true, false])
  expect(await keys.find('a', 'ES256', 61)).toMatchObject({ ok: false, reason: 'keys-unavailable' })
  broker.works = true
  expect(await keys.find('a', 'ES256', 61)).toMatchObject({ ok: true })
})
