import { memoryLedger, type Ledger } from '@hallpass/core'
import { describe, expect, test } from 'vitest'
import { assertion, keyPair, prove } from '../../test/holder.ts'
import { ISSUER, rig, START } from '../../test/rig.ts'

const rates = { perCaller: { perSecond: 1, burst: 3 }, unproven: { perSecond: 1, burst: 3 } }

describe('createBroker({ rates })', () => {
  test('createBroker() answers 429 to an agent beyond its burst, says when to come back, and lets it', async () => {
    const { open, exchange, time } = rig({ rates })
    const pair = keyPair()
    const task = await open(pair)
    const asked = [await exchange(pair, task.body.access_token), await exchange(pair, task.body.access_token)]
    expect(asked.map(({ status }) => status)).toEqual([200, 200])
    const late = await exchange(pair, task.body.access_token)
    expect({ status: late.status, error: late.body.error, wait: late.headers.get('retry-after') }).toEqual({
      status: 429,
      error: 'slow_down',
      wait: '1',
    })
    expect(late.body.event).toMatch(/^ev_/)
    time.now += 1
    expect((await exchange(pair, task.body.access_token)).status).toBe(200)
    expect((await exchange(pair, task.body.access_token)).status).toBe(429)
  })

  test('createBroker() counts per agent, whatever its key, task or way to ask', async () => {
    const { open, post, taskForm } = rig({ rates: { ...rates, perCaller: { perSecond: 1, burst: 2 } } })
    expect((await open(keyPair())).status).toBe(200)
    expect((await open(keyPair())).status).toBe(200)
    expect((await open(keyPair())).status).toBe(429)
    const other = await post('/token', taskForm({ purpose: 'restock' }, 'other-bot'), keyPair())
    expect(other.status).toBe(200)
  })

  test('createBroker() counts what it turned away as traffic under the caller’s name, one event a minute', async () => {
    const { open, broker, events } = rig({ rates: { ...rates, perCaller: { perSecond: 1, burst: 1 } } })
    await open(keyPair())
    const turned = [await open(keyPair()), await open(keyPair())]
    expect(await events('task.refused')).toEqual([])
    await broker.close()
    expect(await events('traffic.refused')).toMatchObject([
      { id: turned[0]?.body.event, reason: 'rate-limited', client_id: 'support-bot', count: 2 },
    ])
  })

  test('createBroker() does not use up an agent’s share for a copied request', async () => {
    const { open, post, taskForm, exchange } = rig({ rates: { ...rates, unproven: 'unlimited' } })
    const [pair, thief] = [keyPair(), keyPair()]
    const task = await open(pair)
    const form = taskForm()
    const proof = { dpop: prove(thief, { url: `${ISSUER}/token`, iat: START }) }
    const copies = Array.from({ length: 20 }, () => post('/token', { ...form, client_assertion: 'x.y.z' }, proof))
    await Promise.all(copies)
    expect((await exchange(pair, task.body.access_token)).status).toBe(200)
  })

  test('createBroker() spends no proof and asks no ledger for an agent that is beyond its share', async () => {
    let marks = 0
    const wrapLedger = (ledger: Ledger): Ledger => ({
      ...ledger,
      markOnce: (key, until) => ((marks += 1), ledger.markOnce(key, until)),
    })
    const { open, exchange } = rig({ rates: { ...rates, perCaller: { perSecond: 1, burst: 1 } }, wrapLedger })
    const pair = keyPair()
    const task = await open(pair)
    expect(marks).toBe(1)
    for (let asked = 0; asked < 10; asked += 1) expect((await exchange(pair, task.body.access_token)).status).toBe(429)
    expect(marks).toBe(1)
  })

  test.each(['open', 'exchange'] as const)(
    'createBroker() answers no more than its burst to an agent whose requests come at once: %s',
    async (way) => {
      let release = (): void => undefined
      const held = new Promise<void>((resolve) => (release = resolve))
      const state = { isSlow: false }
      const wrapLedger = (ledger: Ledger): Ledger => ({
        ...ledger,
        markOnce: async (key, until) => {
          if (state.isSlow) await held
          return ledger.markOnce(key, until)
        },
      })
      const { open, exchange } = rig({ rates: { ...rates, perCaller: { perSecond: 1, burst: 3 } }, wrapLedger })
      const pair = keyPair()
      const task = await open(pair)
      state.isSlow = true
      const ask = () => (way === 'open' ? open(keyPair()) : exchange(pair, task.body.access_token))
      const asked = Array.from({ length: 6 }, ask)
      release()
      const statuses = (await Promise.all(asked)).map(({ status }) => status)
      expect(statuses.toSorted((one, other) => one - other)).toEqual([200, 200, 429, 429, 429, 429])
    },
  )

  test('createBroker() looks at no more forged assertions than it may, and running tasks do not notice', async () => {
    const { open, post, taskForm, exchange, time, events, broker } = rig({
      rates: { unproven: rates.unproven },
    })
    const pair = keyPair()
    const task = await open(pair)
    await exchange(pair, task.body.access_token)
    const forged = {
      ...taskForm(),
      client_assertion: assertion(keyPair(), { sub: 'support-bot', aud: ISSUER, now: START }),
    }
    const flood = async () => (await post('/token', forged, keyPair())).status
    expect([await flood(), await flood(), await flood(), await flood(), await flood()]).toEqual([
      401, 401, 401, 429, 429,
    ])
    // What is documented: while it lasts, no task is opened …
    expect((await open(keyPair())).status).toBe(429)
    // … but one that runs goes on.
    expect((await exchange(pair, task.body.access_token)).status).toBe(200)
    time.now += 1
    expect((await open(keyPair())).status).toBe(200)
    await broker.close()
    expect(await events('traffic.refused')).toContainEqual(
      expect.objectContaining({ reason: 'rate-limited', count: 3 }),
    )
  })

  test('createBroker() lets a forged subject token pass no further for having the text of a known one', async () => {
    const { open, exchange } = rig({ rates: { unproven: { perSecond: 1, burst: 1 } } })
    const task = await open(keyPair())
    const stolen = async () => (await exchange(keyPair(), task.body.access_token)).status
    // A thief without the key: each is refused for what it is, and costs the owner nothing.
    expect([await stolen(), await stolen()]).toEqual([400, 400])
  })

  test.each([
    ['a rate of nothing', { rates: { perCaller: { perSecond: 0, burst: 1 } } }],
    ['a burst of nothing', { rates: { unproven: { perSecond: 1, burst: 0 } } }],
    ['a rate that is no number', { rates: { perCaller: { perSecond: Number.NaN, burst: 1 } } }],
    ['no room at all', { maxRequestsAtOnce: 0 }],
  ])('createBroker() refuses %s', (_name, options) => {
    expect(() => rig(options)).toThrow(expect.objectContaining({ code: 'configuration-invalid' }))
  })
})

describe('createBroker({ maxRequestsAtOnce })', () => {
  /** A ledger that answers nothing about proofs until it is let go. */
  function slow() {
    let release = (): void => undefined
    const held = new Promise<void>((resolve) => (release = resolve))
    const ledger = memoryLedger({ exactFor: 'one-process', clock: () => START })
    const wrapLedger = (inner: Ledger): Ledger => ({
      ...inner,
      markOnce: async (key, until) => held.then(() => inner.markOnce(key, until)),
    })
    return { ledger, wrapLedger, release: () => release() }
  }

  test('createBroker() answers 503 beyond it, and takes requests again when others are done', async () => {
    const { ledger, wrapLedger, release } = slow()
    const { open, send, broker, events } = rig({ ledger, wrapLedger, maxRequestsAtOnce: 2 })
    const running = [open(keyPair()), open(keyPair())]
    await new Promise((resolve) => setImmediate(resolve))
    const turned = await open(keyPair())
    expect({ status: turned.status, wait: turned.headers.get('retry-after') }).toEqual({ status: 503, wait: '2' })
    // Probes and keys are not work.
    expect((await send('/healthz')).status).toBe(200)
    expect((await send('/jwks')).status).toBe(200)
    release()
    expect((await Promise.all(running)).map(({ status }) => status)).toEqual([200, 200])
    expect((await open(keyPair())).status).toBe(200)
    await broker.close()
    expect(await events('traffic.refused')).toMatchObject([{ reason: 'overloaded', count: 1 }])
  })

  test('createBroker() still revokes and ends when it has no room for anything else', async () => {
    const { ledger, wrapLedger, release } = slow()
    const world = rig({ ledger, wrapLedger, maxRequestsAtOnce: 1 })
    const pair = keyPair()
    const running = world.open(pair)
    await new Promise((resolve) => setImmediate(resolve))
    const ending = world.post('/revoke', { token: 'x.y.z' }, pair)
    expect((await world.open(keyPair())).status).toBe(503)
    const json = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }
    const asked = (path: string) => world.broker.fetch(new Request(`${world.broker.issuer}${path}`, json))
    const statuses: number[] = []
    for (const path of ['/signals', '/revocations', '/redeem']) statuses.push((await asked(path)).status)
    expect(statuses).toEqual([401, 401, 503])
    release()
    expect((await ending).status).not.toBe(503)
    expect((await running).status).toBe(200)
  })

  test('createBroker() gives back the place of a request that fails', async () => {
    const { post, open } = rig({ maxRequestsAtOnce: 1 })
    for (let asked = 0; asked < 5; asked += 1) await post('/token', { grant_type: 'nothing' }, keyPair())
    expect((await open(keyPair())).status).toBe(200)
  })
})

describe('Broker.drain()', () => {
  test('Broker.drain() is not ready any more, and goes on answering', async () => {
    const { broker, send, open } = rig()
    expect((await send('/readyz')).body).toMatchObject({ ready: true, draining: false })
    broker.drain()
    expect(await send('/readyz')).toMatchObject({ status: 503, body: { ready: false, draining: true, ledger: true } })
    expect((await send('/healthz')).status).toBe(200)
    expect((await open(keyPair())).status).toBe(200)
  })
})
