import { memoryLedger, type AuditEvent, type RedeemAnswer, type Telemetry } from '@hallpass/core'
import { describe, expect, test, vi } from 'vitest'
import { keyPair } from '../../test/holder.ts'
import { identityOf, ORDERS, orders, redeemRequest, rig, START, STOCK, stock } from '../../test/rig.ts'
import { idOf } from './use-events.ts'

const nothing = (): void => undefined
const noTelemetry: Telemetry = {
  injects: false,
  span: () => ({
    traceparent: undefined,
    rename: nothing,
    set: nothing,
    link: nothing,
    run: (work) => work(),
    end: nothing,
  }),
  count: nothing,
  duration: nothing,
  gauge: () => nothing,
}

const AS_ORDERS = 'ev_of_orders_0000000000000'

const apis = [
  { id: 'orders-api', api: orders, identity: identityOf('orders-api') },
  { id: 'stock-api', api: stock, identity: identityOf('stock-api') },
]

/** Two APIs, each with a grant of the same agent, over a ledger whose leases end after a second. */
async function twoApis() {
  const time = { now: START }
  const ledger = memoryLedger({ exactFor: 'one-process', leaseSeconds: 1, clock: () => time.now })
  const made = rig({
    ledger,
    apis,
  })
  const pair = keyPair()
  const task = (await made.open(pair)).body.access_token
  const entry = { locations: [STOCK], actions: ['stock.reserve'], identifier: 'stock:9', parameters: { quantity: '1' } }
  const forStock = await made.post('/token', { ...made.callForm(task, entry), resource: STOCK }, pair)
  const grants = {
    [ORDERS]: redeemRequest((await made.exchange(pair, task)).body.access_token, { pair, attempt: 'of orders' }),
    [STOCK]: redeemRequest(forStock.body.access_token, { pair, attempt: 'of stock', amounts: { quantity: 1 } }),
  }
  const callers = { [ORDERS]: await made.caller('orders-api'), [STOCK]: await made.caller('stock-api') }
  const call = async (audience: typeof ORDERS | typeof STOCK, op: object) => {
    const { body } = await callers[audience].json('/redeem', { calls: [op] })
    return (body['answers'] as (RedeemAnswer & { readonly reservation: string })[])[0]
  }
  const redeem = async (audience: typeof ORDERS | typeof STOCK, event: string) =>
    (await call(audience, { op: 'redeem', request: { ...grants[audience], event } }))?.reservation ?? ''
  const settle = (audience: typeof ORDERS | typeof STOCK, reservation: string) =>
    call(audience, { op: 'settle', reservation, outcome: { status: 200 } })
  /** The lease of every use is over, and the broker looks. */
  const lapse = async () => {
    time.now += 2
    made.time.now += 2
    await made.broker.close()
  }
  return { ...made, time, ledger, callers, grants, call, redeem, settle, lapse }
}

describe('events of a use', () => {
  test('are not taken by another API that uses the same event id first', async () => {
    const { redeem, settle, events } = await twoApis()
    const own = await redeem(ORDERS, AS_ORDERS)
    await settle(STOCK, await redeem(STOCK, AS_ORDERS))
    await settle(ORDERS, own)
    expect((await events('use.ended')).map(({ aud }) => aud)).toEqual([STOCK, ORDERS])
  })

  test.each(['', '-ended', '-back', '-unknown'])(
    'are not hidden by an event that another API reports under the id%s',
    async (ending) => {
      const { ledger, grants, callers, events, lapse } = await twoApis()
      // As a broker leaves it that was killed before the trail had the start.
      ledger.redeem({ ...grants[ORDERS], event: AS_ORDERS, outbox: true })
      const lie = { id: `${AS_ORDERS}${ending}`, type: 'use.refused', time: START, source: `verifier:${STOCK}` }
      expect(await callers[STOCK].json('/audit', { events: [lie] })).toMatchObject({ body: { accepted: 1 } })
      await lapse()
      expect(await events('use.started')).toMatchObject([{ id: AS_ORDERS, aud: ORDERS }])
      expect(await events('use.unknown')).toMatchObject([{ follows: AS_ORDERS, aud: ORDERS }])
    },
  )

  test('are on record once after a restart, with telemetry too', async () => {
    const { ledger, trail, time, redeem, settle, lapse, events } = await twoApis()
    const [one, two] = [await redeem(ORDERS, AS_ORDERS), await redeem(STOCK, 'ev_of_stock_000000000000')]
    await settle(ORDERS, one)
    const next = rig({ audit: trail, ledger, telemetry: noTelemetry }).broker
    time.now += 2
    await next.close()
    await lapse()
    expect(two).not.toBe('')
    expect(await events('use.started')).toHaveLength(2)
    expect(await events('use.ended')).toHaveLength(1)
    expect(await events('use.unknown')).toHaveLength(1)
  })

  test('give no use back whose outcome is on record, though the ledger does not have it yet', async () => {
    const { redeem, callers, grants, ledger, trail, events } = await twoApis()
    const reservation = await redeem(ORDERS, AS_ORDERS)
    const settle = { op: 'settle', reservation, outcome: { status: 200 } }
    const giveBack = { op: 'give_back', reservation, reason: 'not done' }
    const both = await callers[ORDERS].json('/redeem', { calls: [settle, giveBack] })
    expect(both.body['answers']).toEqual([{ ok: true }, { ok: true, released: false }])
    // The same at a broker that only the trail told.
    const other = { ...grants[STOCK], event: 'ev_of_stock_000000000000' }
    const use = await redeem(STOCK, other.event)
    await trail.append({
      ...((await events('use.ended'))[0] as AuditEvent),
      id: idOf('use.ended', use),
      follows: other.event,
    })
    const next = await rig({ audit: trail, ledger, apis }).caller('stock-api')
    const late = await next.json('/redeem', { calls: [{ ...giveBack, reservation: use }] })
    expect(late.body['answers']).toEqual([{ ok: true, released: false }])
    expect(await events('use.given-back')).toEqual([])
  })

  test('end once where the outcome comes after the lease', async () => {
    const { redeem, settle, lapse, events } = await twoApis()
    const use = await redeem(ORDERS, AS_ORDERS)
    await lapse()
    await settle(ORDERS, use)
    expect(await events('use.unknown')).toHaveLength(1)
    expect(await events('use.ended')).toEqual([])
  })

  test('end once where the outcome comes while the trail is asked what it has', async () => {
    const { redeem, settle, lapse, events, trail } = await twoApis()
    const use = await redeem(ORDERS, AS_ORDERS)
    const asked = vi.spyOn(trail, 'holds').mockImplementationOnce(async () => {
      await settle(ORDERS, use)
      return []
    })
    await lapse()
    expect(asked).toHaveBeenCalled()
    expect([...(await events('use.unknown')), ...(await events('use.ended'))]).toHaveLength(1)
  })
})
