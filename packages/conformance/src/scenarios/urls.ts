import assert from 'node:assert/strict'
import { atEachDoor, once, type Scenario } from '../scenario.ts'
import { answered, told } from '../stage/stage.ts'

const HONEST = 'https://orders.test/orders/123/refund'

/** The request line and the fields that claim to know better. Each ends with the honest call. */
export const urls: readonly Scenario[] = [
  atEachDoor(['url.own-path'], 'takes no other spelling of an action’s path', async (stage) => {
    const token = await stage.refundGrant(await stage.task())
    for (const target of [
      '/orders/123/refund/',
      '/Orders/123/refund',
      '/orders/123/REFUND',
      '//orders/123/refund',
      '/orders//123/refund',
      '/orders/123;v=1/refund',
      '/orders/123/refund;v=1',
      '/orders/123.json/refund',
      '/v1/orders/123/refund',
      '/orders/123/refund/x',
      '*',
    ]) {
      for (const url of [HONEST, `https://orders.test${target}`]) {
        assert.match(told(await stage.refund(token, '20.00', { proof: { url }, request: { target } })), /^4/, target)
      }
    }
    assert.equal(stage.runs.length, 0)
    assert.equal(told(await stage.refund(token)), '200')
  }),
  atEachDoor(['url.encoding'], 'takes no path that two readers decode in two ways', async (stage) => {
    const token = await stage.refundGrant(await stage.task())
    const at = (id: string) => {
      const target = `/orders/${id}/refund`
      return stage.refund(token, '20.00', { proof: { url: `https://orders.test${target}` }, request: { target } })
    }
    for (const id of [
      '123%2F',
      '123%2f..%2f123',
      '123%5C',
      '123%00',
      '12%2533',
      '%C0%B1',
      '%E0%80%B1',
      '%u0031',
      '123%',
      '123%0d%0ax',
      '12+3',
      '%ED%A0%80',
    ]) {
      assert.match(told(await at(id)), /^4/, id)
    }
    assert.equal(stage.runs.length, 0)
    assert.equal(told(await at('%31%32%33')), '200', 'one spelling of the same characters')
  }),
  atEachDoor(['url.authority', 'seen.htu'], 'believes no authority in a request line', async (stage) => {
    const token = await stage.refundGrant(await stage.task())
    const at = (target: string, url: string) =>
      stage.refund(token, '20.00', { proof: { url }, request: { target } }).then(told, () => '400')
    const users = ['http://a@orders.test', 'http://orders.test@evil.example', 'http://a:b@evil.example']
    const targets = [
      ...users.map((origin) => `${origin}/orders/123/refund`),
      'ftp://orders.test/orders/123/refund',
      'orders/123/refund',
    ]
    for (const target of targets) {
      assert.notEqual(await at(target, target), '200', target)
      // A web request has lost the user before anybody sees it.
      if (stage.door === 'express' || stage.door === 'fastify') assert.match(await at(target, HONEST), /^4/, target)
    }
    assert.equal(stage.runs.length, 0)
    assert.equal(await at('http://evil.example/orders/123/refund', HONEST), '200')
  }),
  atEachDoor(['url.host'], 'believes no field that names a host, a scheme or a path', async (stage) => {
    const token = await stage.readGrant(await stage.task())
    const evil = 'https://evil.example/orders/123'
    const fields = [
      ['x-forwarded-host', 'evil.example'],
      ['x-forwarded-proto', 'https'],
      ['x-forwarded-prefix', '/api'],
      ['x-forwarded-port', '444'],
      ['x-forwarded-server', 'evil.example'],
      ['x-host', 'evil.example'],
      ['x-original-host', 'evil.example'],
      ['x-original-url', '/orders/124'],
      ['x-rewrite-url', '/orders/124'],
      ['forwarded', 'host=evil.example;proto=https'],
    ]
    for (const field of [...fields, fields.flat()]) {
      assert.equal(told(await stage.readOrder(token, { proof: { url: evil }, headers: field })), '401 proof-invalid')
    }
    assert.equal(stage.runs.length, 0)
    assert.equal(told(await stage.readOrder(token, { headers: fields.flat() })), '200')
    assert.equal(stage.runs[0]?.grant?.resource, 'order:123')
  }),
  atEachDoor(['resource.one-spelling'], 'takes a resource in one spelling', async (stage) => {
    const ask = { action: 'refund.create', resource: 'order:caf\u00e9', parameters: { amount: '20.00' } }
    const token = await stage.grant(await stage.task(), ask)
    const at = (id: string) =>
      stage.shoot(token, { method: 'POST', target: `/orders/${id}/refund`, body: '{"amount":"20.00"}' })
    assert.equal(told(await at('cafe%CC%81')), '400 request-malformed')
    assert.equal(told(await at('CAF%C3%89')), '403 not-granted')
    assert.equal(told(await at('caf%C3%A9%E2%80%8B')), '400 request-malformed')
    assert.equal(stage.runs.length, 0)
    assert.equal(told(await at('caf%C3%A9')), '200')
  }),
  once(['resource.one-spelling'], 'grants a resource in one spelling', async (stage) => {
    const task = await stage.task()
    assert.match(answered(await stage.ask(task, { action: 'order.read', resource: 'order:cafe\u0301' })), /^400 /)
  }),
  atEachDoor(['arguments.text'], 'takes nothing else for the text that was granted', async (stage) => {
    const task = await stage.task()
    const token = await stage.refundGrant(task)
    const post = (body: string) => stage.shoot(token, { method: 'POST', target: '/orders/123/refund', body })
    for (const amount of [
      '20',
      '2e1',
      '["20.00"]',
      '{"0":"20.00"}',
      '"2e1"',
      '"+20.00"',
      '"20.000"',
      '" 20.00"',
      '"２0.00"',
      'null',
      'true',
    ]) {
      assert.match(told(await post(`{"amount":${amount}}`)), /^40[03]/, amount)
    }
    for (const body of [
      '{"__proto__":{"amount":"20.00"}}',
      '{"constructor":{"prototype":{"amount":"20.00"}}}',
      '{"amount":"20.00","__proto__":{"admin":true}}',
      '{"amount":"20.00","toString":"x"}',
    ]) {
      assert.match(told(await post(body)), /^40[03]/, body)
    }
    const search = await stage.grant(task, {
      action: 'order.search',
      resource: 'customer:7',
      parameters: { status: 'open' },
    })
    for (const query of [
      'status[]=open',
      'status[0]=open',
      'status=open&status=open',
      'status=open&status[]=closed',
      'status[$ne]=closed',
      'status=open&__proto__[x]=1',
      'status=open&limit[]=1',
      'status=open;limit=9',
      'status=open&STATUS=closed',
    ]) {
      assert.match(told(await stage.shoot(search, { target: `/customers/7/orders?${query}` })), /^40[013]/, query)
    }
    assert.equal(stage.runs.length, 0)
    assert.equal(told(await stage.refund(token)), '200')
  }),
]
