import { memoryLedger, memoryTrail, sentLine, type AuditEvent, type TrailLine } from '@hallpass/core'
import { describe, expect, test } from 'vitest'
import { keyPair } from '../../test/holder.ts'
import { ORDERS, redeemRequest, rig, START } from '../../test/rig.ts'

/** Events of one verifier as its spool sends them. */
async function sent(count: number): Promise<AuditEvent[]> {
  const spool = memoryTrail()
  for (let n = 1; n <= count; n++) {
    const id = `ev_${String(n).padStart(22, '0')}`
    void spool.append({ id, type: 'use.refused', time: START, source: `verifier:${ORDERS}#1`, aud: ORDERS })
  }
  return spool.lines().map((text) => sentLine(JSON.parse(text) as TrailLine, 'ch_aaaaaaaaaaaa'))
}

describe('createMerger()', () => {
  test('createMerger() records nothing twice that the trail kept over a restart', async () => {
    const events = await sent(4)
    const first = rig()
    await (await first.caller('orders-api')).json('/audit', { events: events.slice(0, 3) })
    const kept = memoryTrail()
    const tail = await first.events()
    const second = rig({ audit: { ...kept, tail } })
    const { json } = await second.caller('orders-api')
    expect(await json('/audit', { events: events.slice(0, 3) })).toMatchObject({ status: 200, body: { accepted: 3 } })
    expect(await json('/audit', { events: events.slice(3) })).toMatchObject({ status: 200 })
    expect((await kept.events({ type: 'use.refused' })).map(({ id }) => id)).toEqual([events[3]?.id])
    expect(await kept.events({ type: 'trail.gap' })).toEqual([])
  })

  test('createMerger() lets a redeem be sent again that was on record before its broker was killed', async () => {
    const ledger = memoryLedger({ exactFor: 'one-process', clock: () => START })
    const first = rig({ ledger })
    const pair = keyPair()
    const task = (await first.open(pair)).body
    const grant = (await first.exchange(pair, task.access_token)).body.access_token
    const calls = [{ op: 'redeem', request: redeemRequest(grant, { pair, attempt: 'a' }) }]
    const { body } = await (await first.caller('orders-api')).json('/redeem', { calls })
    const tail = await first.events()
    const kept = memoryTrail()
    const second = rig({ ledger, audit: { ...kept, tail } })
    const again = await (await second.caller('orders-api')).json('/redeem', { calls })
    expect(again.body['answers']).toEqual(body['answers'])
    expect(body['answers']).toMatchObject([{ ok: true, state: 'first' }])
    expect(await kept.events({ type: 'use.started' })).toEqual([])
  })

  test('createMerger() puts a gap of a verifier on record', async () => {
    const events = await sent(5)
    const { caller, events: recorded } = rig()
    const { json } = await caller('orders-api')
    await json('/audit', { events: events.slice(0, 1) })
    await json('/audit', { events: events.slice(3) })
    expect(await recorded('trail.gap')).toMatchObject([
      { source: 'broker:https://broker.test', aud: ORDERS, data: { event: events[3]?.id, after: { seq: 1 } } },
    ])
  })

  test('createMerger() acknowledges no event that is not as durable as the trail makes it', async () => {
    const trail = memoryTrail()
    let isDurable = false
    const flush = async () => (isDurable ? undefined : Promise.reject(new Error('disk')))
    const { caller } = rig({ audit: { ...trail, flush } })
    const { json } = await caller('orders-api')
    const events = await sent(2)
    expect((await json('/audit', { events })).status).toBeGreaterThanOrEqual(500)
    isDurable = true
    expect(await json('/audit', { events })).toMatchObject({ status: 200 })
    expect(await trail.events({ type: 'use.refused' })).toHaveLength(2)
  })
})
