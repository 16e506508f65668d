import { describe, expect, test } from 'vitest'
import { api, desk, orders, task } from '../../test/desk.ts'
import type { ClientOptions } from './client-options.ts'
import { createClient } from './create-client.ts'

const identity = { type: 'jwt-bearer', clientId: 'support-bot', assertion: async () => 'a.b.c' } as const
const good: ClientOptions<typeof orders> = { issuer: 'https://broker.test', identity, api: orders }

describe('createClient()', () => {
  test('createClient() runs one call from an opened task to its end', async () => {
    const { client, world, sent, recorded } = desk()
    const outcome = await client.task({ ...task, note: '#9917' }, (task) =>
      task.call('refund.create', { resource: 'order:123', parameters: { amount: '42.00' }, callId: 'call-1' }),
    )
    expect(outcome).toMatchObject({ ok: true, callId: 'call-1', grant: { resource: 'order:123', callsLeft: 0 } })
    expect(world.handled.map(({ resource, grant }) => `${resource} ${JSON.stringify(grant.parameters)}`)).toEqual([
      'order:123 {"amount":"42.00"}',
    ])
    expect(sent.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'GET https://broker.test/.well-known/oauth-authorization-server',
      'POST https://broker.test/token',
      'POST https://broker.test/token',
      'POST https://orders.test/orders/123/refund',
      'POST https://broker.test/revoke',
    ])
    expect(await recorded()).toEqual([
      'broker.started',
      'policy.loaded',
      'task.opened',
      'grant.issued refund.create',
      'use.started refund.create',
      'use.ended refund.create',
      'task.ended completed',
      'grant.revoked',
    ])
  })

  test('createClient() reaches an API below a base path, and several APIs in one task', async () => {
    const { client, sent } = desk()
    await client.task(task, async (task) => {
      await task.call('order.read', { resource: 'order:1' })
      return task.call('stock.reserve', { resource: 'stock:mug', parameters: { quantity: '2' } })
    })
    expect(sent.map(({ url }) => url)).toContain('https://stock.test/v1/stock/mug/reservations')
  })

  test.each<[string, Partial<Record<keyof ClientOptions<typeof orders>, unknown>>]>([
    ['an issuer over http', { issuer: 'http://broker.test' }],
    ['an issuer that only begins like loopback', { issuer: 'http://127.0.0.1.evil.test' }],
    ['an issuer with a query', { issuer: 'https://broker.test/?a=1' }],
    ['an issuer with a user', { issuer: 'https://me@broker.test' }],
    ['no issuer', { issuer: undefined }],
    ['null for an issuer', { issuer: null }],
    ['a broker without an issuer', { issuer: { fetch: async () => new Response() } }],
    ['no identity', { identity: undefined }],
    ['an identity without assertion()', { identity: { clientId: 'x' } }],
    ['an identity with an unprintable id', { identity: { ...identity, clientId: 'a\nb' } }],
    ['no API', { api: [] }],
    ['one audience twice', { api: [orders, orders] }],
    ['a base URL over http', { baseUrls: { [orders.audience]: 'http://orders.test' } }],
    ['a base URL for a stranger', { baseUrls: { 'https://other.test': 'https://other.test' } }],
    ['a skew that is too large', { skewSeconds: 31 }],
    ['a skew that is not a number', { skewSeconds: Number.NaN }],
    ['no time to answer', { brokerTimeoutMs: 0 }],
    ['endless pauses', { retryDelaysMs: [Infinity] }],
  ])('createClient() refuses %s', (_name, bad) => {
    const options = { ...good, ...bad } as ClientOptions<typeof orders>
    expect(() => createClient(options)).toThrow(expect.objectContaining({ code: 'configuration-invalid' }))
  })

  test.each(['https://broker.test', 'http://localhost:4000', 'http://127.0.0.1:4000', 'http://[::1]:4000'])(
    'createClient() takes the issuer %s',
    (issuer) => {
      expect(() => createClient({ ...good, issuer })).not.toThrow()
    },
  )

  test('createClient() keeps its own copy of the options', async () => {
    const baseUrls: Record<string, string> = {}
    const { newClient, sent } = desk({ baseUrls })
    const client = newClient()
    baseUrls[orders.audience] = 'https://evil.test'
    await client.task(task, (task) => task.call('order.read', { resource: 'order:1' }))
    expect(sent.map(({ url }) => new URL(url).origin)).not.toContain('https://evil.test')
  })

  test('createClient() asks a broker in the same process without a network', async () => {
    const { world, sent } = desk()
    const elsewhere: string[] = []
    const fetch = (request: Request) => {
      elsewhere.push(new URL(request.url).origin)
      return world.fetch(request)
    }
    const { source } = world.identity('support-bot')
    const client = createClient({ issuer: world.broker, identity: source, api, fetch, clock: world.clock.now })
    const outcome = await client.task(task, (task) => task.call('order.read', { resource: 'order:1' }))
    expect(outcome).toMatchObject({ ok: true })
    expect(elsewhere).toEqual(['https://orders.test'])
    expect(sent).toEqual([])
  })

  test('createClient() makes a key of its own for each client and keeps it', async () => {
    const { client, newClient, to } = desk()
    const other = newClient()
    for (const one of [client, client, other]) await one.task(task, async () => true)
    const keys = to('/token').map(({ headers }) => headerOf(headers.get('dpop') ?? '').jwk.x)
    expect(new Set(keys).size).toBe(2)
    expect(keys[0]).toBe(keys[1])
    expect(headerOf(to('/token')[0]?.headers.get('dpop') ?? '').jwk).not.toHaveProperty('d')
  })

  test('close() cancels every open task', async () => {
    const { client, recorded } = desk()
    await client.openTask(task)
    await client.openTask(task)
    await client.close()
    expect((await recorded()).filter((line) => line.startsWith('task.ended'))).toEqual([
      'task.ended cancelled',
      'task.ended cancelled',
    ])
  })

  test('createClient() types the API list', () => {
    expect(api.map(({ audience }) => audience)).toEqual(['https://orders.test', 'https://stock.test/v1'])
  })
})

const headerOf = (proof: string): { jwk: { x: string } } =>
  JSON.parse(Buffer.from(proof.split('.')[0] ?? '', 'base64url').toString()) as { jwk: { x: string } }
