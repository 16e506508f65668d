import { defineApi, type RedeemRequest } from '@hallpass/core'
import { TEST_PURPOSE, testWorld } from '@hallpass/testing'
import { brokerLedger } from '@hallpass/verifier/broker-ledger'
import { expect, test } from 'vitest'
import { tokenOf } from '../stage/stage.ts'

const orders = defineApi({
  audience: 'https://orders.test',
  actions: { 'order.read': { route: 'GET /orders/{id}', resource: 'order:{id}', risk: 'read' } },
})
const stock = defineApi({
  audience: 'https://stock.test',
  actions: { 'stock.read': { route: 'GET /stock/{sku}', resource: 'stock:{sku}', risk: 'read' } },
})

test('an API ends no use that another API redeemed, though it knows the reservation', async () => {
  const world = testWorld({ api: [orders, stock] })
  const agent = world.wire()
  const call = { audience: orders.audience, action: 'order.read', resource: 'order:1' }
  const token = tokenOf(await agent.exchange(tokenOf(await agent.open(TEST_PURPOSE)), call))
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, never>
  const as = (audience: string) =>
    brokerLedger({
      issuer: world.issuer,
      identity: world.identity(audience).source,
      fetch: (url, init) => world.fetch(url, init),
      clock: world.clock.now,
    })
  const request = {
    attempt: 'attempt-1',
    audience: orders.audience,
    issuer: world.issuer,
    jti: claims['jti'],
    txn: claims['txn'],
    iat: claims['iat'],
    exp: claims['exp'],
    clientId: 'test-agent',
    action: 'order.read',
    resource: 'order:1',
    source: 'registered',
    limits: [],
    amounts: {},
    proof: {
      jkt: agent.key.jkt,
      jti: 'proof-of-attempt-1',
      iat: world.clock.now(),
      acceptUntil: world.clock.now() + 60,
    },
    event: 'ev_first0000',
  } as unknown as RedeemRequest
  const own = as(orders.audience)
  const foreign = as(stock.audience)
  const redeemed = await own.redeem(request)
  const reservation = redeemed.ok && redeemed.state === 'first' ? redeemed.reservation : ''
  expect(reservation).not.toBe('')

  expect(await foreign.giveBack(reservation, 'not mine')).toBe(false)
  await foreign.settle(reservation, { status: 500 })
  expect(await world.events({ type: 'use.ended' })).toEqual([])

  expect(await own.giveBack(reservation, 'nothing was done')).toBe(true)
})
