import { memoryTrail } from '@hallpass/core'
import { describe, expect, test } from 'vitest'
import { jws, keyPair } from '../../test/holder.ts'
import { ORDERS, rig, START, STOCK } from '../../test/rig.ts'

const event = (change: object = {}) => ({
  id: 'ev_aaaaaaaaaaaaaaaaaaaaaa',
  type: 'use.refused',
  time: START,
  source: `verifier:${ORDERS}#1`,
  aud: ORDERS,
  reason: 'proof-replayed',
  ...change,
})

describe('auditEndpoint()', () => {
  test('auditEndpoint() keeps each event of an API once', async () => {
    const { caller, events } = rig()
    const { json } = await caller('orders-api')
    const batch = {
      events: [event(), event(), event({ id: 'ev_bbbbbbbbbbbbbbbbbbbbbb', type: 'traffic.refused', count: 3 })],
    }
    expect(await json('/audit', batch)).toMatchObject({ status: 200, body: { accepted: 3 } })
    expect(await json('/audit', batch)).toMatchObject({ status: 200, body: { accepted: 3 } })
    expect(await events('use.refused')).toMatchObject([event()])
    expect(await events('traffic.refused')).toMatchObject([{ count: 3 }])
  })

  test.each([
    ['another source', event({ source: `verifier:${STOCK}` })],
    ['the broker as source', event({ source: 'broker:https://broker.test' })],
    ['a source that starts like its own', event({ source: `verifier:${ORDERS}.evil` })],
    ['another audience', event({ aud: STOCK })],
    ['an issued grant', event({ type: 'grant.issued' })],
    ['a checkpoint', event({ type: 'trail.checkpoint' })],
    ['an unknown member', event({ token: 'x' })],
    ['an unknown type', event({ type: 'use.invented' })],
    ['no id', event({ id: undefined })],
  ])('auditEndpoint() refuses an event with %s, and the whole batch with it', async (_name, wrong) => {
    const { caller, events } = rig()
    const { json } = await caller('orders-api')
    const good = event({ id: 'ev_cccccccccccccccccccccc' })
    expect(await json('/audit', { events: [good, wrong] })).toMatchObject({
      status: 400,
      body: { error: 'invalid_request' },
    })
    expect((await events()).filter(({ source }) => source.startsWith('verifier:'))).toEqual([])
  })

  test('auditEndpoint() answers 503 when the trail takes nothing, and takes the batch when it is sent again', async () => {
    const trail = memoryTrail()
    let isFull = true
    const { caller } = rig({
      audit: {
        ...trail,
        append: (line) =>
          isFull && line.type === 'use.refused' ? Promise.reject(new Error('full')) : trail.append(line),
      },
    })
    const { json } = await caller('orders-api')
    expect(await json('/audit', { events: [event()] })).toMatchObject({ status: 503 })
    isFull = false
    expect(await json('/audit', { events: [event()] })).toMatchObject({ status: 200 })
    expect(await trail.events({ type: 'use.refused' })).toHaveLength(1)
  })

  test('auditEndpoint() refuses operators and bodies that are no list of events', async () => {
    const { caller } = rig()
    expect(await (await caller('root')).json('/audit', { events: [] })).toMatchObject({ status: 401 })
    const { json } = await caller('orders-api')
    for (const body of ['rubbish', '[]', '{"events":{}}', '{"events":[],"more":1}'])
      expect((await json('/audit', body)).status).toBe(400)
  })
})

describe('auditEndpoint() with checkpoints', () => {
  const head = { source: `verifier:${ORDERS}`, chain: 'ch_aaaaaaaa', seq: 3, hash: 'h'.repeat(43) }
  const sign = (pair: ReturnType<typeof keyPair>, claims: object = {}, header: object = {}) =>
    jws(
      { typ: 'hallpass-source-checkpoint+jwt', alg: 'ES256', jwk: pair.publicJwk, ...header },
      { ...head, time: START, ...claims },
      pair.privateKey,
    )

  test('auditEndpoint() keeps a checkpoint once, with the key that signed it', async () => {
    const { caller, events } = rig()
    const api = await caller('orders-api')
    const report = { events: [event()], checkpoint: sign(api.pair) }
    expect(await api.json('/audit', report)).toMatchObject({ status: 200, body: { accepted: 1 } })
    expect(await api.json('/audit', report)).toMatchObject({ status: 200 })
    expect(await events('trail.vouched')).toMatchObject([
      { client_id: 'orders-api', aud: ORDERS, jkt: api.pair.jkt, data: { jws: report.checkpoint } },
    ])
    const [first, second] = (await events()).filter(({ type }) => type === 'use.refused' || type === 'trail.vouched')
    expect([first?.type, second?.type]).toEqual(['use.refused', 'trail.vouched'])
  })

  test.each<[string, (own: ReturnType<typeof keyPair>) => object]>([
    ['by another key than the one that proves the request', () => ({ checkpoint: sign(keyPair()) })],
    ['of another API', (own) => ({ checkpoint: sign(own, { source: `verifier:${STOCK}` }) })],
    ['of an instance', (own) => ({ checkpoint: sign(own, { source: `verifier:${ORDERS}#1` }) })],
    ['with a signature by another key', (own) => ({ checkpoint: sign(keyPair(), {}, { jwk: own.publicJwk }) })],
    ['of another typ', (own) => ({ checkpoint: sign(own, {}, { typ: 'dpop+jwt' }) })],
    ['that is no text', () => ({ checkpoint: 7 })],
    ['with an introduction that is a credential', (own) => ({ checkpoint: sign(own), introduction: sign(own) })],
    ['that is only an introduction', () => ({ introduction: 'x' })],
  ])('auditEndpoint() refuses a checkpoint %s, and the batch with it', async (_name, more) => {
    const { caller, events } = rig()
    const api = await caller('orders-api')
    const { status } = await api.json('/audit', { events: [event()], ...more(api.pair) })
    expect(status).toBe(400)
    expect(await events('trail.vouched')).toEqual([])
    expect(await events('use.refused')).toEqual([])
  })
})
