import assert from 'node:assert/strict'
import { atEachDoor, type Scenario } from '../scenario.ts'
import { told } from '../stage/stage.ts'

/** Rule 8 and the two exceptions for rolling out. */
export const seen: readonly Scenario[] = [
  atEachDoor(['seen.body'], 'hands the handler the very parameters that were checked', async (stage) => {
    const token = await stage.refundGrant(await stage.task())
    assert.equal(told(await stage.refund(token)), '200')
    assert.deepEqual(stage.runs[0]?.body, { amount: '20.00' })
    const { amount } = (stage.runs[0]?.grant?.parameters ?? {}) as { amount?: unknown }
    assert.equal(String(amount), '20.00')
  }),
  atEachDoor(['seen.duplicate'], 'refuses a body two readers could read in two ways', async (stage) => {
    const token = await stage.refundGrant(await stage.task())
    const post = (body: string, headers?: readonly string[]) =>
      stage.shoot(token, { method: 'POST', target: '/orders/123/refund', body }, { ...(headers && { headers }) })
    for (const body of [
      '{"amount":"49.00","amount":"20.00"}',
      '{"amount":"20.00","\\u0061mount":"49.00"}',
      '\ufeff{"amount":"20.00"}',
      '{"amount":"20.00"} x',
      '{"amount":"\\ud800"}',
    ]) {
      assert.match(told(await post(body)), /^40[03]/, body)
    }
    const plain = ['content-type', 'text/plain']
    const proofless = (headers: readonly string[], body = '{"amount":"20.00"}') => {
      const proof = stage.agent.proof({ method: 'POST', url: 'https://orders.test/orders/123/refund', token, body })
      return stage.send({
        method: 'POST',
        target: '/orders/123/refund',
        body,
        headers: ['authorization', `DPoP ${token}`, 'dpop', proof, ...headers],
      })
    }
    assert.equal(told(await proofless(plain)), '415 body-unsupported')
    assert.equal(
      told(await proofless(['content-type', 'application/json', 'content-encoding', 'gzip'])),
      '415 body-unsupported',
    )
    assert.match(told(await proofless(['content-type', 'application/x-www-form-urlencoded'], 'amount=20.00')), /^4/)
    assert.equal(stage.runs.length, 0)
    assert.equal(told(await stage.refund(token)), '200')
  }),
  atEachDoor(['seen.collision'], 'refuses a parameter in two places, and input nobody declared', async (stage) => {
    const task = await stage.task()
    const token = await stage.refundGrant(task)
    const at = (target: string) => stage.shoot(token, { method: 'POST', target, body: '{"amount":"20.00"}' })
    assert.equal(told(await at('/orders/123/refund?amount=49.00')), '400 request-malformed')
    assert.equal(told(await at('/orders/123/refund?note=x')), '400 request-malformed')
    const search = await stage.grant(task, {
      action: 'order.search',
      resource: 'customer:7',
      parameters: { status: 'open' },
    })
    assert.equal(
      told(await stage.shoot(search, { target: '/customers/7/orders?status=open&status=closed' })),
      '400 request-malformed',
    )
    assert.equal(stage.runs.length, 0)
    assert.equal(told(await stage.shoot(search, { target: '/customers/7/orders?status=open' })), '200')
  }),
  atEachDoor(['seen.query'], 'counts a query under constraints only where the proof binds it', async (stage) => {
    const task = await stage.task()
    const token = await stage.grant(task, {
      action: 'order.search',
      resource: 'customer:7',
      parameters: { status: 'open' },
    })
    const target = '/customers/7/orders?status=closed'
    assert.equal(
      told(await stage.shoot(token, { target }, { proof: { claims: { query_digest: undefined } } })),
      '401 proof-invalid',
    )
    assert.equal(told(await stage.shoot(token, { target }, { proof: { query: 'status=open' } })), '401 proof-invalid')
    assert.equal(stage.runs.length, 0)
    assert.equal(told(await stage.shoot(token, { target })), '200')
  }),
  atEachDoor(
    ['roll-out.or-else'],
    'lets only a request without any credential of ours to the old authentication',
    async (stage) => {
      await stage.mount({ rollout: { orElse: true } })
      const token = await stage.readGrant(await stage.task())
      assert.equal((await stage.send({ target: '/orders/123' })).status, 299)
      assert.equal((await stage.send({ target: '/orders/123', headers: ['authorization', 'Basic eDp5'] })).status, 299)
      assert.match(told(await stage.readOrder(`${token}x`)), /^4/)
      assert.match(
        told(await stage.send({ target: '/orders/123', headers: ['authorization', `Bearer ${token}`] })),
        /^4/,
      )
      assert.match(told(await stage.send({ target: '/orders/123', headers: ['dpop', 'x'] })), /^4/)
      assert.equal(told(await stage.readOrder(token)), '200')
      assert.equal((await stage.events()).filter(({ type }) => type === 'use.passed').length >= 1, true)
    },
  ),
  atEachDoor(['roll-out.observe'], 'observes until its date, then enforces', async (stage) => {
    const until = new Date((stage.clock.now() + 3600) * 1000)
    await stage.mount({ rollout: { observeOnlyUntil: until } })
    assert.equal((await stage.send({ target: '/orders/123' })).status, 200)
    assert.equal(stage.runs.length, 1)
    assert.equal(
      (await stage.events()).some(({ type }) => type === 'use.passed'),
      true,
    )
    stage.clock.advance(3600)
    assert.equal(told(await stage.send({ target: '/orders/123' })), '401 credentials-missing')
    await assert.rejects(
      stage.mount({ rollout: { observeOnlyUntil: new Date((stage.clock.now() + 91 * 86_400) * 1000) } }),
    )
  }),
]
