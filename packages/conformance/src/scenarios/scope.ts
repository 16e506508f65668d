import assert from 'node:assert/strict'
import { testKey } from '@hallpass/testing'
import { atEachDoor, type Scenario } from '../scenario.ts'
import { stock } from '../stage/api.ts'
import { told } from '../stage/stage.ts'

/** Never 2: one action, resource, parameters, audience, method, URL, body, key. Each ends with the honest call. */
export const scope: readonly Scenario[] = [
  atEachDoor(['scope.action'], 'does nothing on the route of another action', async (stage) => {
    const token = await stage.refundGrant(await stage.task())
    assert.equal(told(await stage.readOrder(token)), '403 not-granted')
    assert.equal(told(await stage.refund(token)), '200')
  }),
  atEachDoor(
    ['scope.resource', 'seen.resource'],
    'does nothing on another resource, however it is spelt',
    async (stage) => {
      const token = await stage.refundGrant(await stage.task())
      const post = (id: string) =>
        stage.shoot(token, { method: 'POST', target: `/orders/${id}/refund`, body: '{"amount":"20.00"}' })
      assert.equal(told(await post('124')), '403 not-granted')
      for (const id of ['%2e%2e', '123%00', '%20123', '123%2F..%2F123', '12%33%2f', '*', '１２３']) {
        assert.match(told(await post(encodeURI(id).replaceAll('%25', '%'))), /^40[034]/, id)
      }
      assert.equal(stage.runs.length, 0)
      assert.equal(told(await stage.refund(token)), '200')
    },
  ),
  atEachDoor(
    ['scope.parameters', 'order.redeem-last'],
    'does nothing with other parameters, and spends nothing',
    async (stage) => {
      const token = await stage.refundGrant(await stage.task())
      const post = (body: string, target = '/orders/123/refund') => stage.shoot(token, { method: 'POST', target, body })
      assert.equal(told(await post('{"amount":"49.00"}')), '403 not-granted')
      assert.equal(told(await post('{"amount":"20.0"}')), '403 not-granted')
      assert.equal(told(await post('{}')), '403 not-granted')
      for (const body of [
        '{"amount":20}',
        '{"amount":["20.00"]}',
        '{"amount":"2e1"}',
        '{"amount":"-20.00"}',
        '[]',
        '"20.00"',
      ]) {
        assert.match(told(await post(body)), /^40[03]/, body)
      }
      assert.equal(told(await post('{"amount":"20.00","to":"me"}')), '400 request-malformed')
      assert.equal(told(await post('{"amount":"20.00","__proto__":{}}')), '400 request-malformed')
      assert.equal(told(await post('{}', '/orders/123/refund?amount=20.00')), '400 request-malformed')
      assert.equal(stage.runs.length, 0)
      assert.equal(told(await stage.refund(token)), '200')
    },
  ),
  atEachDoor(['scope.audience'], 'is refused at another audience', async (stage) => {
    const task = await stage.task()
    const foreign = await stage.grant(task, { audience: stock.audience, action: 'stock.read', resource: 'stock:mug' })
    assert.equal(told(await stage.readOrder(foreign)), '401 grant-invalid')
    assert.equal(told(await stage.readOrder(task)), '401 grant-invalid', 'a task token is no grant')
    assert.equal(told(await stage.readOrder(await stage.readGrant(task))), '200')
  }),
  atEachDoor(['scope.method'], 'refuses a proof for another method', async (stage) => {
    const token = await stage.refundGrant(await stage.task())
    assert.equal(told(await stage.refund(token, '20.00', { proof: { method: 'PUT' } })), '401 proof-invalid')
    assert.equal(told(await stage.refund(token)), '200')
  }),
  atEachDoor(
    ['scope.url', 'seen.htu'],
    'takes the URL from configuration, whatever the request says',
    async (stage) => {
      const token = await stage.readGrant(await stage.task())
      const evil = 'http://evil.example/orders/123'
      const other = { proof: { url: 'https://orders.test/orders/124' } }
      assert.equal(told(await stage.readOrder(token, other)), '401 proof-invalid')
      assert.match(told(await stage.readOrder(token, { proof: { url: evil }, request: { target: evil } })), /^4/)
      assert.match(
        told(await stage.readOrder(token, { proof: { url: evil }, request: { target: '//evil.example/orders/123' } })),
        /^4/,
      )
      const headers = [
        'x-forwarded-host',
        'evil.example',
        'x-forwarded-proto',
        'http',
        'forwarded',
        'host=evil.example',
      ]
      assert.equal(told(await stage.readOrder(token, { proof: { url: evil }, headers })), '401 proof-invalid')
      assert.equal(stage.runs.length, 0)
      assert.equal(told(await stage.readOrder(token)), '200')
    },
  ),
  atEachDoor(['scope.body'], 'refuses a body that is not the one under the proof', async (stage) => {
    const token = await stage.refundGrant(await stage.task())
    assert.equal(
      told(await stage.refund(token, '20.00', { proof: { body: '{"amount":"19.00"}' } })),
      '401 proof-invalid',
    )
    assert.equal(
      told(await stage.refund(token, '20.00', { proof: { claims: { content_digest: undefined } } })),
      '401 proof-invalid',
    )
    assert.equal(told(await stage.refund(token)), '200')
  }),
  atEachDoor(['scope.key'], 'refuses the token with another key, and as a bearer token', async (stage) => {
    const token = await stage.readGrant(await stage.task())
    assert.equal(told(await stage.readOrder(token, { by: testKey() })), '401 binding-failed')
    assert.equal(told(await stage.readOrder(token, { proof: { signWith: testKey() } })), '401 proof-invalid')
    const bearer = { target: '/orders/123', headers: ['authorization', `Bearer ${token}`] }
    assert.equal(told(await stage.send(bearer)), '401 binding-failed')
    assert.equal(stage.runs.length, 0)
    assert.equal(told(await stage.readOrder(token)), '200')
  }),
]
