import { defineApi, type RedeemRequest } from '@hallpass/core'
import { TEST_PURPOSE, testWorld } from '@hallpass/testing'
import { brokerLedger } from '@hallpass/verifier/broker-ledger'
import { expect, test } from 'vitest'
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

/** An API that may say what it likes, with uses of one grant. */
async function lyingApi() {
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
  const redeem = (attempt: string, event: string) => {
    const request: RedeemRequest = {
      attempt,
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
        jti: `proof-of-${attempt}`,
        iat: world.clock.now(),
        acceptUntil: world.clock.now() + 60,
      },
      event,
    }
    return ledger.redeem(request)
  }
  return { world, ledger, redeem }
}

test('a use whose event id is taken by another event is refused and spent', async () => {
  const { world, ledger, redeem } = await lyingApi()
  const source = `verifier:${AUDIENCE}`
  await ledger.append({ id: 'ev_taken000', type: 'use.refused', time: world.clock.now(), source, aud: AUDIENCE })
  expect(await redeem('attempt-1', 'ev_taken000')).toMatchObject({ ok: false, reason: 'request-invalid' })
  // Nor does it come back: it may be a use that ran and that a restarted broker has forgotten.
  expect(await redeem('attempt-2', 'ev_fresh000')).toMatchObject({ ok: false, reason: 'grant-exhausted' })
  expect(await world.events({ type: 'use.started' })).toEqual([])
})

test('a resent attempt is the same use, also while the first one is on its way', async () => {
  const { world, redeem } = await lyingApi()
  const [one, other] = await Promise.all([redeem('attempt-1', 'ev_fresh000'), redeem('attempt-1', 'ev_fresh000')])
  expect(one).toMatchObject({ state: 'first' })
  expect(other).toEqual(one)
  expect(await redeem('attempt-1', 'ev_fresh000')).toEqual(one)
  expect(await world.events({ type: 'use.started' })).toHaveLength(1)
})
