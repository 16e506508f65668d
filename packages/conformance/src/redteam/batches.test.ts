import { defineApi, type Outcome, type RedeemRequest } from '@hallpass/core'
import { TEST_PURPOSE, testWorld } from '@hallpass/testing'
import { brokerLedger } from '@hallpass/verifier/broker-ledger'
import { describe, expect, test } from 'vitest'
import { tokenOf } from '../stage/stage.ts'

const AUDIENCE = 'https://orders.test'
const api = defineApi({
  audience: AUDIENCE,
  actions: { 'order.read': { route: 'GET /orders/{id}', resource: 'order:{id}', risk: 'read' } },
})

interface Claims {
  readonly [name: string]: unknown
  readonly jti: string
  readonly txn: string
  readonly iat: number
  readonly exp: number
}

/** An honest agent's use, ready to be redeemed in the same batch as what an attacker causes. */
async function victim() {
  const world = testWorld({ api })
  const agent = world.wire()
  const task = tokenOf(await agent.open(TEST_PURPOSE))
  const call = { audience: AUDIENCE, action: 'order.read', resource: 'order:1' }
  const token = tokenOf(await agent.exchange(task, call))
  const { jti, txn, iat, exp } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Claims
  const ledger = brokerLedger({
    issuer: world.issuer,
    identity: world.identity(AUDIENCE).source,
    fetch: (url, init) => world.fetch(url, init),
    clock: world.clock.now,
  })
  const request: RedeemRequest = {
    attempt: 'ev_victim00',
    audience: AUDIENCE,
    issuer: world.issuer,
    jti,
    txn,
    clientId: 'test-agent',
    iat,
    exp,
    action: 'order.read',
    resource: 'order:1',
    source: 'registered',
    limits: [],
    amounts: {},
    proof: {
      jkt: agent.key.jkt,
      jti: 'proof-of-the-victim',
      iat: world.clock.now(),
      acceptUntil: world.clock.now() + 60,
    },
    event: 'ev_victim00',
  }
  return { ledger, redeemed: () => ledger.redeem(request) }
}

test('the victim alone is served', async () => {
  const { redeemed } = await victim()
  expect(await redeemed()).toMatchObject({ state: 'first' })
})

describe('what one use says cannot fail the uses it shares a batch with', () => {
  test.each<[string, Outcome]>([
    ['no content type', { status: 200, contentType: '' }],
    ['an endless content type', { status: 200, contentType: `text/plain; x=${'y'.repeat(9000)}` }],
    ['a status that is none', { status: Number.NaN }],
  ])('an outcome with %s', async (_what, outcome) => {
    const { ledger, redeemed } = await victim()
    const settled = Promise.resolve(ledger.settle('res_x', outcome)).catch(() => undefined)
    expect(await redeemed()).toMatchObject({ state: 'first' })
    await settled
  })

  test.each([
    ['an endless reason', 'x'.repeat(9000)],
    ['a reason that is no text', '\ud800'],
  ])('a use given back for %s', async (_what, reason) => {
    const { ledger, redeemed } = await victim()
    const given = Promise.resolve(ledger.giveBack('res_x', reason)).catch(() => undefined)
    expect(await redeemed()).toMatchObject({ state: 'first' })
    await given
  })

  test('many long outcomes', async () => {
    const { ledger, redeemed } = await victim()
    const body = '\u0001'.repeat(8192)
    const settled = Array.from({ length: 190 }, () => Promise.resolve(ledger.settle('res_x', { status: 200, body })))
    expect(await redeemed()).toMatchObject({ state: 'first' })
    await expect(Promise.all(settled)).resolves.toHaveLength(190)
  })
})
