import type { RefusalReason } from '@hallpass/core'
import { memoryTrail } from '@hallpass/core'
import { afterEach, expect, test, vi } from 'vitest'
import { badCredentials } from '../test/credential-scenarios.ts'
import { badRequests } from '../test/request-scenarios.ts'
import { scriptedLedger } from '../test/scripted-ledger.ts'
import { orders } from '../test/test-api.ts'
import { ISSUER, NOW, createTestIssuer, newKeyPair } from '../test/test-issuer.ts'
import { createBatcher } from './broker-ledger/batcher.ts'
import { createVerifier } from './index.ts'
import { createKeyRing } from './keys/key-ring.ts'
import { createHolderKeys } from './proof/holder-keys.ts'
import { createStatusLists } from './revocation/status-lists.ts'
import { createTokenCache } from './token/token-cache.ts'

afterEach(() => {
  vi.useRealTimers()
})

const MANY = 2000
const names = Array.from({ length: MANY }, (_, index) => `name-${index}`.padStart(64, 'x'))

test('createTokenCache() holds as many tokens as it was told', () => {
  const cache = createTokenCache(10)
  for (const token of names) cache.set({ token, key: { live: true } } as never)
  expect(names.filter((token) => cache.get(token) !== undefined)).toEqual(names.slice(-10))
})

test('createHolderKeys() holds as many keys as it was told', () => {
  const keys = createHolderKeys(10)
  for (const name of names) keys.set(name, {} as never)
  expect(names.filter((name) => keys.get(name) !== undefined)).toEqual(names.slice(-10))
})

test('createKeyRing() takes 32 keys of a set, however many it has', async () => {
  const ring = createKeyRing(['ES256'])
  const { publicJwk } = newKeyPair()
  await ring.replace({ keys: names.map((kid) => ({ ...publicJwk, kid })) })
  expect(names.filter((kid) => ring.get(kid) !== undefined)).toEqual(names.slice(0, 32))
})

test('createStatusLists() keeps 256 lists, and asks for each once in its time', async () => {
  let asked = 0
  const lists = createStatusLists({
    issuer: ISSUER,
    keys: { find: () => ({ ok: false, reason: 'token-key-unknown' }), current: () => true },
    algorithms: ['ES256'],
    maxStalenessSeconds: 60,
    skewSeconds: 5,
    fetch: async () => {
      asked += 1
      return new Response(null, { status: 404 })
    },
  })
  const uris = Array.from({ length: 300 }, (_, index) => `${ISSUER}/status/${index}`)
  const all = () => Promise.all(uris.map(async (uri) => lists.get(uri, NOW)))
  await all()
  expect(asked).toBe(300)
  await Promise.all(uris.slice(-256).map(async (uri) => lists.get(uri, NOW)))
  expect(asked).toBe(300)
})

test('createBatcher() lets so many wait, and refuses the rest at once', async () => {
  const batcher = createBatcher<number, number>({
    send: () => new Promise(() => undefined),
    maxWaiting: 10,
    maxPerBatch: 1,
    maxInFlight: 1,
  })
  const refused: unknown[] = []
  for (let index = 0; index < MANY; index += 1) void batcher.add(index).catch((error: unknown) => refused.push(error))
  await Promise.resolve()
  expect(refused.length).toBe(MANY - 10)
})

test('strangers make the trail grow by one event a reason and window, whatever they send', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout'] })
  const issuer = createTestIssuer()
  const audit = memoryTrail()
  const verifier = createVerifier({
    api: orders,
    issuer,
    ledger: scriptedLedger(),
    audit,
    clock: () => NOW,
    refusalWindowSeconds: 60,
  })
  const proofless = new Set<RefusalReason>()
  for (let round = 0; round < 40; round += 1) {
    for (const { send } of [...badCredentials, ...badRequests.slice(0, 3)]) {
      const { target = '/', headers = [], method = 'GET' } = send(issuer)
      const verdict = await verifier.verify('order.read', { method, target, headers })
      if (verdict.kind === 'refused') proofless.add(verdict.reason)
    }
  }
  await verifier.flush()
  const events = await audit.events()
  const counted = events.filter(({ type }) => type === 'traffic.refused')
  const single = events.filter(({ type }) => type === 'use.refused')
  expect(counted.length).toBeLessThanOrEqual(proofless.size)
  // What carries a genuine token is told one by one, up to a bound of its own.
  expect(single.length).toBeLessThanOrEqual(100)
})
