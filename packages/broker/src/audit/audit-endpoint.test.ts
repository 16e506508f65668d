import { memoryTrail } from '@hallpass/core'
import { describe, expect, test } from 'vitest'
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
