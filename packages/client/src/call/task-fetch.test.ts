import { describe, expect, test } from 'vitest'
import { desk, task } from '../../test/desk.ts'

const url = 'https://orders.test/orders/123/refund'
const json = { 'content-type': 'application/json' }
const refund = { method: 'POST', headers: json, body: '{ "amount": "42.00" }' }
const api = (sent: ReturnType<typeof desk>['sent']) => sent.filter((one) => !one.url.startsWith('https://broker.test'))

describe('task.fetch()', () => {
  test('task.fetch() finds the action and sends the very bytes it was given', async () => {
    const { client, world, to } = desk()
    const response = await client.task(task, (task) => task.fetch(url, refund))
    expect(response).toMatchObject({ status: 200 })
    expect(world.handled.map(({ action, resource }) => [action, resource])).toEqual([['refund.create', 'order:123']])
    expect(to('/orders/123/refund')[0]?.body).toBe('{ "amount": "42.00" }')
  })

  test.each<[string, string | URL | Request, RequestInit?]>([
    ['a string', 'https://orders.test/orders/1/lines?search=a%20b&page=2'],
    ['a URL', new URL('https://orders.test/orders/1/lines?search=a+b')],
    ['a request', new Request('https://orders.test/orders/1/lines?search=%C3%BF')],
    ['a default port', 'https://orders.test:443/orders/1/lines?search=x'],
    ['an escaped segment', 'https://orders.test/orders/%31/lines?search=x'],
  ])('task.fetch() takes %s', async (_name, input, init) => {
    const { client, world } = desk()
    const response = await client.task(task, (task) => task.fetch(input, init))
    expect(response).toMatchObject({ status: 200 })
    expect(world.handled.map(({ resource }) => resource)).toEqual(['order:1'])
  })

  test.each<[string, string, RequestInit?]>([
    ['another origin', 'https://evil.test/orders/123/refund', refund],
    ['a host that begins like the API', 'https://orders.test.evil.test/orders/123/refund', refund],
    ['another port', 'https://orders.test:8443/orders/123/refund', refund],
    ['another scheme', 'http://orders.test/orders/123/refund', refund],
    ['a user in the URL that looks like the host', 'https://evil.test/@orders.test/orders/123/refund', refund],
    ['a path outside the base path', 'https://stock.test/v2/stock/mug/reservations', refund],
    ['a path that only begins like the base path', 'https://stock.test/v1x/stock/mug/reservations', refund],
    ['a path of no route', 'https://orders.test/admin'],
    ['a method of no route', 'https://orders.test/orders/123', { method: 'DELETE' }],
    ['a trailing slash', 'https://orders.test/orders/123/'],
    ['broken escapes', 'https://orders.test/orders/%E0%A4%A'],
    ['an encoded slash', 'https://orders.test/orders/..%2F..%2Fadmin'],
    ['a query the action does not know', 'https://orders.test/orders/123?admin=true'],
    ['a query member twice', 'https://orders.test/orders/1/lines?search=a&search=b'],
    ['a body that is no JSON', url, { ...refund, body: 'amount=42.00' }],
    ['a body of another type', url, { ...refund, headers: { 'content-type': 'text/plain' } }],
    ['a body with a member twice', url, { ...refund, body: '{"amount":"1.00","amount":"42.00"}' }],
    ['a parameter in body and query', `${url}?amount=1.00`, refund],
    ['what no rule permits', url, { ...refund, body: '{"amount":"60.00"}' }],
  ])('task.fetch() sends nothing for %s', async (_name, input, init) => {
    const { client, sent } = desk()
    const response = await client.task(task, (task) => task.fetch(input, init))
    expect(response).toMatchObject({ ok: false, status: 403 })
    expect(response).toMatchObject({ headers: expect.any(Headers) })
    expect(api(sent)).toEqual([])
  })

  test('task.fetch() replaces credentials of its caller, and takes its idempotency key', async () => {
    const { client, to } = desk()
    const headers = {
      ...json,
      authorization: 'Bearer sk-live',
      dpop: 'x',
      cookie: 'a=b',
      'idempotency-key': '"my-key"',
      'x-own': '1',
    }
    await client.task(task, (task) => task.fetch(url, { ...refund, headers }))
    const sent = to('/orders/123/refund')[0]?.headers
    expect(sent?.get('authorization')).toMatch(/^DPoP /)
    expect(sent?.get('cookie')).toBeNull()
    expect(sent?.get('idempotency-key')).toBe('"my-key"')
    expect(sent?.get('x-own')).toBe('1')
    expect(JSON.stringify([...(sent ?? [])])).not.toContain('sk-live')
  })

  test('task.fetch() does not let a redirect take the credential along, whatever its caller asked', async () => {
    const { client, setTap, sent } = desk()
    setTap((request, next) =>
      request.url.includes('/refund') ? Promise.resolve(Response.redirect('https://evil.test/', 307)) : next(request),
    )
    const response = await client.task(task, (task) => task.fetch(url, { ...refund, redirect: 'follow' }))
    expect(response).toMatchObject({ status: 307 })
    expect(sent.filter((one) => one.url.startsWith('https://evil.test'))).toEqual([])
  })

  test('task.fetch() tells a write that was not answered from one that was not made', async () => {
    const { client, setTap } = desk()
    setTap((request, next) =>
      request.url.includes('orders.test') ? Promise.reject(new Error('reset')) : next(request),
    )
    const statuses = await client.task(task, async (task) => [
      (await task.fetch(url, refund)).status,
      (await task.fetch('https://orders.test/orders/1')).status,
    ])
    expect(statuses).toEqual([424, 502])
  })

  test('task.fetch() says 503 and when to come back where nothing was done', async () => {
    const { client, setTap } = desk()
    const response = await client.task(task, (task) => {
      setTap(() => Promise.reject(new Error('down')))
      return task.fetch(url, refund)
    })
    expect(response).toMatchObject({ status: 503 })
    const headers = 'headers' in response ? response.headers : new Headers()
    expect([headers.get('retry-after'), headers.get('content-type')]).toEqual(['1', 'application/problem+json'])
  })

  test('task.fetch() rejects with the reason of its signal', async () => {
    const { client, setTap } = desk()
    const stop = new AbortController()
    setTap((request, next) => {
      if (!request.url.includes('/refund')) return next(request)
      stop.abort(new Error('enough'))
      return new Promise(() => {})
    })
    const running = client.task(task, (task) => task.fetch(url, { ...refund, signal: stop.signal }))
    await expect(running).rejects.toThrow('enough')
  })
})

describe('task.grant()', () => {
  const order = { resource: 'order:123', parameters: { amount: '42.00' } } as const

  test('task.grant() gives a grant whose fetch sends the call it is for', async () => {
    const { client, world } = desk()
    const status = await client.task(task, async (task) => {
      const asked = await task.grant('refund.create', order)
      if (!asked.ok) return asked.reason
      expect(asked.grant).toMatchObject({
        action: 'refund.create',
        resource: 'order:123',
        callsLeft: 1,
        task: task.txn,
      })
      const response = await asked.grant.fetch(url, refund)
      expect(asked.grant.callsLeft).toBe(0)
      return response.status
    })
    expect(status).toBe(200)
    expect(world.handled).toHaveLength(1)
  })

  test.each<[string, string, RequestInit?]>([
    ['another resource', 'https://orders.test/orders/999/refund', refund],
    ['other parameters', url, { ...refund, body: '{"amount":"42.01"}' }],
    ['another action', 'https://orders.test/orders/123'],
    ['another origin', 'https://evil.test/orders/123/refund', refund],
  ])('task.grant() gives a grant that sends nothing for %s', async (_name, input, init) => {
    const { client, sent } = desk()
    const response = await client.task(task, async (task) => {
      const asked = await task.grant('refund.create', order)
      return asked.ok ? asked.grant.fetch(input, init) : asked
    })
    expect(response).toMatchObject({ status: 403 })
    expect(api(sent)).toEqual([])
  })

  test('task.grant() gives a grant that is dead after its task, its expiry and its use', async () => {
    const { client, world, sent } = desk()
    const opened = await client.openTask(task)
    if (!opened.ok) throw new Error(opened.message)
    const grantOf = async () => {
      const asked = await opened.grant('refund.create', { ...order, parameters: { amount: '1.00' } })
      if (!asked.ok) throw new Error(asked.message)
      return asked.grant
    }
    const one = { ...refund, body: '{"amount":"1.00"}' }
    const [used, late, left] = [await grantOf(), await grantOf(), await grantOf()]
    await used.fetch(url, one)
    const before = api(sent).length
    expect((await used.fetch(url, one)).status).toBe(403)
    world.clock.advance(26)
    expect((await late.fetch(url, one)).status).toBe(401)
    await opened.complete()
    expect((await left.fetch(url, one)).status).toBe(403)
    expect(left.callsLeft).toBe(0)
    expect(api(sent)).toHaveLength(before)
  })

  test('task.grant() asks for an action without a route', async () => {
    const { client } = desk()
    const asked = await client.task(task, (task) =>
      task.grant('report.write', { resource: 'report:daily', parameters: { text: 'hello' } }),
    )
    expect(asked).toMatchObject({ ok: true, grant: { action: 'report.write', resource: 'report:daily' } })
  })
})
