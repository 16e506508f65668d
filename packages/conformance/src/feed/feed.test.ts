import { memoryLedger } from '@hallpass/core'
import { testKey } from '@hallpass/testing'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { AUDIENCE, FeedScene, READ_STOCK, type FeedVerifier, type Grant } from './feed-scene.ts'

let scene: FeedScene
afterEach(async () => scene.close())

const until = async (verifier: FeedVerifier, grant: Grant, answer: string) => {
  await vi.waitFor(async () => expect(await verifier.ask(grant)).toBe(answer), { timeout: 8000, interval: 5 })
  return true
}

const claimsOf = (message: string) =>
  JSON.parse(Buffer.from(/data: [^.]+\.([^.]+)/.exec(message)?.[1] ?? '', 'base64url').toString()) as {
    aud: string
    events: Readonly<Record<string, { cursor: string; prev: string | null; at: number; dead: { idx: number[] }[] }>>
  }
const runOf = (message: string) => Object.values(claimsOf(message).events)[0]
type Forger = FeedScene['forge']
const carriesDead = (message: string) => (runOf(message)?.dead.length ?? 0) > 0

/** A verifier that serves, and two grants that it admits. */
async function serving(
  options: Parameters<typeof FeedScene.open>[0] = {},
  more: Parameters<FeedScene['verifier']>[0] = {},
) {
  scene = await FeedScene.open(options)
  const [dead, alive] = await scene.grants(2)
  if (dead === undefined || alive === undefined) throw new Error('No grants')
  const verifier = scene.verifier(more)
  await verifier.feed.ready()
  expect([await verifier.ask(dead), await verifier.ask(alive)]).toEqual(['admitted', 'admitted'])
  const kill = async (broker = 0) => scene.brokers[broker]?.revoke({ kind: 'grant', jti: dead.jti }, 'leaked')
  return { verifier, dead, alive, kill }
}

describe('a verifier that follows the revocation feed of a real broker', () => {
  test('serves nothing before it knows everything', async () => {
    scene = await FeedScene.open()
    const grant = await scene.grant()
    const verifier = scene.verifier()
    expect([await verifier.ask(grant), verifier.feed.status()]).toEqual([
      'status-stale',
      { state: 'starting', stalenessSeconds: Infinity, connected: false, lists: 0, bytes: 0 },
    ])
    await verifier.feed.ready()
    expect(await verifier.ask(grant)).toBe('admitted')
  })

  test('refuses what is revoked, and nothing else', async () => {
    const { verifier, dead, alive, kill } = await serving()
    await kill()
    await until(verifier, dead, 'grant-revoked')
    expect(await verifier.ask(alive)).toBe('admitted')
    expect(verifier.feed.status()).toMatchObject({ state: 'live', connected: true, lists: 1 })
  })

  test('refuses what was revoked before it came', async () => {
    const { dead, alive, kill } = await serving()
    await kill()
    const late = scene.verifier()
    await late.feed.ready()
    expect([await late.ask(dead), await late.ask(alive)]).toEqual(['grant-revoked', 'admitted'])
  })

  test.each([
    { how: 'its task', target: ({ txn }: Grant) => ({ kind: 'task', txn }) as const },
    { how: 'its agent', target: () => ({ kind: 'agent', clientId: 'test-agent' }) as const },
    { how: 'its owner', target: () => ({ kind: 'owner', owner: 'team:test' }) as const },
    { how: 'its action', target: () => ({ kind: 'action', audience: AUDIENCE, action: 'order.read' }) as const },
    { how: 'its policy version', target: () => ({ kind: 'policy-version', version: '1' }) as const },
    { how: 'everything', target: () => ({ kind: 'everything' }) as const },
  ])('refuses a grant that dies with $how', async ({ target }) => {
    const { verifier, dead } = await serving()
    await scene.brokers[0]?.revoke(target(dead), 'incident')
    expect(await until(verifier, dead, 'grant-revoked')).toBe(true)
  })

  test('refuses the grants of a task that its agent ended', async () => {
    scene = await FeedScene.open()
    const { agent } = scene
    const grant = await scene.grant()
    const verifier = scene.verifier()
    await verifier.feed.ready()
    expect(await verifier.ask(grant)).toBe('admitted')
    expect((await agent.end(grant.token)).status).toBe(200)
    await until(verifier, grant, 'grant-revoked')
  })

  test('hears nothing about grants for another API', async () => {
    const carried: string[] = []
    const { verifier, kill, dead } = await serving()
    scene.wire = (message) => [(carried.push(message), message)]
    const elsewhere = await scene.grants(1, READ_STOCK)
    await scene.brokers[0]?.revoke({ kind: 'grant', jti: elsewhere[0]?.jti ?? '' }, 'leaked')
    await kill()
    await until(verifier, dead, 'grant-revoked')
    expect(new Set(carried.map((message) => claimsOf(message).aud))).toEqual(new Set([AUDIENCE]))
    expect(carried.flatMap((message) => runOf(message)?.dead.flatMap(({ idx }) => idx) ?? []).length).toBe(1)
  })
})

describe('what happens on the way is harmless', () => {
  test('a message that is missed: the verifier notices with the next one and asks again from where it was', async () => {
    const { verifier, dead, kill } = await serving()
    let missed = 0
    scene.wire = (message) => {
      if (missed > 0 || !carriesDead(message)) return [message]
      missed += 1
      return []
    }
    await kill()
    await until(verifier, dead, 'grant-revoked')
    expect([missed, scene.streams.length]).toEqual([1, 2])
    expect(scene.streams[1]?.headers.get('last-event-id')).toMatch(/^[\w-]+$/)
    expect(verifier.observed.map(({ outcome }) => outcome)).toContain('out-of-sequence')
  })

  test('messages that come twice', async () => {
    const { verifier, dead, alive, kill } = await serving()
    scene.wire = (message) => [message, message]
    await kill()
    await until(verifier, dead, 'grant-revoked')
    expect([await verifier.ask(alive), scene.streams.length]).toEqual(['admitted', 1])
  })

  test('messages that come in another order', async () => {
    const { verifier, dead, alive, kill } = await serving()
    const held: string[] = []
    let swapped = false
    scene.wire = (message) => {
      if (!swapped && carriesDead(message)) {
        swapped = true
        held.push(message)
        return []
      }
      return [message, ...held.splice(0)]
    }
    await kill()
    await until(verifier, dead, 'grant-revoked')
    await until(verifier, alive, 'admitted')
    expect(swapped).toBe(true)
  })

  test.each<[string, (forge: Forger, claims: object) => string]>([
    ['by a stranger', (forge, claims) => forge(claims, testKey())],
    ['for another audience', (forge, claims) => forge({ ...claims, aud: 'https://stock.test' })],
    ['by another issuer', (forge, claims) => forge({ ...claims, iss: 'https://evil.test' })],
    ['of another type', (forge, claims) => forge(claims, undefined, { typ: 'at+jwt' })],
    ['by a key of its own choice', (forge, claims) => forge(claims, undefined, { kid: 'another' })],
    ['without a signature', (forge, claims) => forge(claims).replace(/\.[^.]+$/, '.')],
    ['from the future', (forge, claims) => forge({ ...claims, iat: Date.now() / 1000 + 60 })],
    ['with an end', (forge, claims) => forge({ ...claims, exp: Date.now() / 1000 + 60 })],
  ])('a message %s, which says that all is well, instead of the true one', async (_how, forge) => {
    const { verifier, dead, kill } = await serving()
    scene.wire = (message) => {
      const claims = claimsOf(message)
      const [type, run] = Object.entries(claims.events)[0] ?? []
      return [
        `event: revocations\ndata: ${forge(scene.forge, { ...claims, events: { [type ?? '']: { ...run, dead: [] } } })}`,
      ]
    }
    await kill()
    await until(verifier, dead, 'status-stale')
    scene.wire = (message) => [message]
    expect(await until(verifier, dead, 'grant-revoked')).toBe(true)
  })

  test('an old state, replayed for ever: the verifier keeps what it knows, and grows stale', async () => {
    const old: string[] = []
    const { dead, alive, kill, verifier: first } = await serving()
    first.close()
    scene.wire = (message) => [(old.push(message), message)]
    const verifier = scene.verifier()
    await verifier.feed.ready()
    scene.wire = (message) => [message]
    await kill()
    await until(verifier, dead, 'grant-revoked')
    scene.wire = () => [old[0] ?? '']
    await until(verifier, alive, 'status-stale')
    expect(await verifier.ask(dead)).toBe('grant-revoked')
    scene.wire = (message) => [message]
    await until(verifier, alive, 'admitted')
    expect(await verifier.ask(dead)).toBe('grant-revoked')
  })

  test('a broker that is silent: refused beyond the bound, and served again when it is back', async () => {
    const { verifier, alive } = await serving()
    scene.wire = () => []
    const before = Date.now()
    await until(verifier, alive, 'status-stale')
    expect(Date.now() - before).toBeLessThan(2000)
    scene.wire = (message) => [message]
    await until(verifier, alive, 'admitted')
  })

  test('a broker that is gone, with the status list to fall back upon', async () => {
    scene = await FeedScene.open()
    scene.wire = () => []
    const [dead, alive] = await scene.grants(2)
    if (dead === undefined || alive === undefined) throw new Error('No grants')
    const verifier = scene.verifier({ fallback: 'status-list', maxStalenessSeconds: 2 })
    expect([await verifier.ask(dead), await verifier.ask(alive)]).toEqual(['admitted', 'admitted'])
    await scene.brokers[0]?.revoke({ kind: 'grant', jti: dead.jti }, 'leaked')
    await until(verifier, dead, 'grant-revoked')
    expect(await verifier.ask(alive)).toBe('admitted')
    scene.active = undefined
    await until(verifier, alive, 'status-stale')
  })

  test('a store that lost its memory: its new life is followed, and what was dead stays dead', async () => {
    const { verifier, dead, alive, kill } = await serving()
    await kill()
    await until(verifier, dead, 'grant-revoked')
    ;(scene.brokers as unknown[]).push(scene.broker(memoryLedger({ exactFor: 'one-process' })))
    scene.active = 1
    await scene.brokers[0]?.close()
    await vi.waitFor(() => expect(verifier.observed.at(-1)?.kind).toBe('message'))
    await vi.waitFor(() => expect(scene.streams.length).toBe(2))
    expect(await verifier.ask(dead)).toBe('grant-revoked')
    const fresh = await scene.grant()
    await until(verifier, fresh, 'admitted')
    expect(await verifier.ask(alive)).toBe('incarnation-mismatch')
    await scene.brokers[1]?.revoke({ kind: 'grant', jti: fresh.jti }, 'leaked')
    await until(verifier, fresh, 'grant-revoked')
  })
})

describe('several brokers on one ledger', () => {
  test('each tells of what another one killed, and a verifier goes on at another where it was', async () => {
    const { verifier, dead, alive, kill } = await serving({ brokers: 2 })
    await kill(1)
    await until(verifier, dead, 'grant-revoked')
    scene.active = 1
    await scene.brokers[0]?.close()
    await vi.waitFor(() => expect(scene.streams.length).toBeGreaterThan(1))
    await until(verifier, alive, 'admitted')
    await scene.brokers[0]?.revoke({ kind: 'grant', jti: alive.jti }, 'leaked')
    await until(verifier, alive, 'grant-revoked')
    expect(scene.streams.at(-1)?.headers.get('last-event-id')).toMatch(/^[\w-]+$/)
  })

  test('give no two grants one place, and serve each the same status lists', async () => {
    scene = await FeedScene.open({ brokers: 2 })
    const grants: Grant[] = []
    for (const active of [0, 1, 0, 1]) {
      scene.active = active
      grants.push(...(await scene.grants(3)))
    }
    const places = grants.map(({ token }) => {
      const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as {
        status: { status_list: { uri: string; idx: number } }
      }
      return claims.status.status_list
    })
    expect(new Set(places.map(({ uri, idx }) => `${uri} ${idx}`)).size).toBe(grants.length)
    await scene.brokers[0]?.revoke({ kind: 'grant', jti: grants[1]?.jti ?? '' }, 'leaked')
    const lists = await Promise.all(
      scene.brokers.map(async (broker) => {
        const response = await broker.fetch(new Request(places[1]?.uri ?? ''))
        const [, payload = ''] = (await response.text()).split('.')
        return (JSON.parse(Buffer.from(payload, 'base64url').toString()) as { status_list: unknown }).status_list
      }),
    )
    expect(lists[0]).toEqual(lists[1])
    expect(lists[0]).toMatchObject({ bits: 1 })
  })
})
