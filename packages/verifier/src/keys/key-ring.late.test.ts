import type { Jwk } from '@hallpass/core'
import { isPromise } from '@hallpass/core'
import { expect, test, vi } from 'vitest'
import { newKeyPair } from '../../test/test-issuer.ts'
import { createKeyRing } from './key-ring.ts'

// As on web runtimes, where a key is imported behind a promise.
vi.mock(import('@hallpass/core'), async (original) => {
  const core = await original()
  return { ...core, importVerifyKey: async (jwk, alg) => core.importVerifyKey(jwk, alg) }
})

const jwk = (kid: string): Jwk => ({ ...newKeyPair().publicJwk, kid })

test('createKeyRing() takes a new set on when all its keys are imported, and not before', async () => {
  const ring = createKeyRing(['ES256'])
  const first = ring.replace({ keys: [jwk('a'), jwk('b')] })
  expect([isPromise(first), ring.get('a')]).toEqual([true, undefined])
  await first
  const [a, b] = [ring.get('a'), ring.get('b')]
  expect([a?.live, b?.live]).toEqual([true, true])
  const second = ring.replace({ keys: [jwk('c'), { ...jwk('d'), x: 'AAAA' }] })
  expect([ring.get('a'), a?.live]).toEqual([a, true])
  await second
  expect([a?.live, b?.live, ring.get('a'), ring.get('c')?.live, ring.get('d')]).toEqual([
    false,
    false,
    undefined,
    true,
    undefined,
  ])
})
