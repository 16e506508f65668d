import type { JsonValue } from '@hallpass/core'
import { defineApi } from '@hallpass/core'
import { describe, expect, test } from 'vitest'
import { orders } from '../../test/test-api.ts'
import type { GrantWish } from '../../test/test-issuer.ts'
import { AUDIENCE, createTestIssuer } from '../../test/test-issuer.ts'
import { planAction } from '../call/planned-action.ts'
import type { IncomingCall } from '../request/incoming-call.ts'
import type { BareCall } from '../token/bare-call.ts'
import { isSameCall } from '../token/bare-call.ts'
import { GenuineToken } from '../token/genuine-token.ts'
import { Attempt } from './attempt.ts'
import { coveredCall } from './cover-call.ts'

const issuer = createTestIssuer()
const key = { kid: 'key-1', algorithm: 'ES256', key: {} as never, live: true }
// A body with nothing in it.
const emptied = defineApi({
  audience: AUDIENCE,
  actions: { 'order.close': { route: 'POST /orders/{id}', resource: 'order:{id}', risk: 'write' } },
})
const plans = {
  close: planAction(emptied, 'order.close'),
  read: planAction(orders, 'order.read'),
  search: planAction(orders, 'order.search'),
  refund: planAction(orders, 'refund.create'),
}
const URL_OF_CALL = 'https://orders.example/orders/123'

interface Wish {
  readonly plan?: keyof typeof plans
  readonly grant?: GrantWish
  readonly call?: Partial<IncomingCall>
  readonly query?: string
  readonly json?: JsonValue | undefined
}

/** An attempt that every step before passed. */
function attemptOf({ plan = 'read', grant = {}, call = {}, query = '', json }: Wish = {}) {
  const target = call.target ?? '/orders/123'
  const attempt = new Attempt(
    plans[plan],
    { method: plans[plan].method, headers: [], ...call, target },
    {
      clock: () => 0,
      sharesRoute: false,
    },
  )
  const claims = issuer.grantClaims({ action: plans[plan].name, ...grant }) as never
  const token = new GenuineToken('a.b.c', claims, { key, skewSeconds: 5 })
  return Object.assign(attempt, { token, path: target, query, json, url: URL_OF_CALL })
}
const amount = { amount: '42.00' }
const refund = (wish: Wish = {}) =>
  attemptOf({ plan: 'refund', call: { target: '/orders/123/refund' }, json: amount, ...wish })

describe('coveredCall', () => {
  test('keeps resource, parts and parameters of what is covered, and remembers the bare call', async () => {
    const attempt = attemptOf({ call: { route: { id: '123' }, mount: '/v1' } })
    expect(await coveredCall(attempt)).toBeUndefined()
    const { resource, parts, raw, parameters, token } = attempt
    expect({ resource, parts, raw, parameters }).toEqual({
      resource: 'order:123',
      parts: { id: '123' },
      raw: {},
      parameters: {},
    })
    expect(token.bare).toEqual({
      planned: plans.read,
      method: 'GET',
      target: '/orders/123',
      route: { id: '123' },
      mount: '/v1',
      url: URL_OF_CALL,
      refusal: undefined,
      resource: 'order:123',
      parts: { id: '123' },
      facts: undefined,
    })
    expect([token.barred, Object.isFrozen(token.bare?.parts)]).toEqual([undefined, true])
  })

  test('knows a bare call again that no router read', async () => {
    const attempt = attemptOf()
    await coveredCall(attempt)
    const { bare } = attempt.token
    expect(bare !== undefined && isSameCall(bare, attempt)).toBe(true)
  })

  test('remembers a call as it was, whatever a framework does to its parameters afterwards', async () => {
    const route = { id: '123' }
    const attempt = attemptOf({ call: { route } })
    await coveredCall(attempt)
    route.id = '124'
    const { bare } = attempt.token
    expect(bare?.route).toEqual({ id: '123' })
    expect(bare !== undefined && isSameCall(bare, attempt)).toBe(false)
  })

  test.each<{ name: string; wish: Wish }>([
    { name: 'an empty body', wish: { plan: 'close', json: {} } },
    {
      name: 'a body and parameters',
      wish: { plan: 'refund', call: { target: '/orders/123/refund' }, json: amount, grant: { parameters: amount } },
    },
    {
      name: 'a query',
      wish: {
        plan: 'search',
        call: { target: '/customers/7/orders' },
        query: 'status=open',
        grant: { resource: 'customer:7', parameters: { status: 'open' } },
      },
    },
  ])('remembers no call with $name', async ({ wish }) => {
    const attempt = attemptOf(wish)
    expect(await coveredCall(attempt)).toBeUndefined()
    expect([attempt.token.bare, attempt.token.barred]).toEqual([undefined, undefined])
  })

  test('hands over the parameters that were checked, parsed', async () => {
    const attempt = refund({ grant: { parameters: amount } })
    expect(await coveredCall(attempt)).toBeUndefined()
    const { raw, parameters } = attempt
    expect([raw, String((parameters as { amount: unknown }).amount)]).toEqual([amount, '42.00'])
  })

  test.each<{ name: string; wish: Wish; reason: string; resource: string }>([
    {
      name: 'another resource',
      wish: { grant: { resource: 'order:124' } },
      reason: 'resource-mismatch',
      resource: 'order:123',
    },
    {
      name: 'another action',
      wish: { grant: { action: 'refund.create' } },
      reason: 'action-mismatch',
      resource: 'order:123',
    },
    { name: 'another path', wish: { call: { target: '/x' } }, reason: 'action-mismatch', resource: '' },
    { name: 'another method', wish: { call: { method: 'HEAD' } }, reason: 'action-mismatch', resource: '' },
  ])('remembers that a bare call is not covered: $name', async ({ wish, reason, resource }) => {
    const attempt = attemptOf(wish)
    const refusal = await coveredCall(attempt)
    expect(refusal).toMatchObject({ ok: false, reason })
    expect(attempt.token.barred).toMatchObject({ refusal, resource, planned: plans.read, target: attempt.call.target })
    expect([attempt.token.bare, attempt.resource]).toEqual([undefined, resource])
  })

  test.each<{ name: string; wish: Wish; reason: string }>([
    { name: 'a body', wish: { json: amount }, reason: 'parameters-mismatch' },
    { name: 'a query', wish: { json: undefined, query: 'amount=1' }, reason: 'parameters-invalid' },
    {
      name: 'parameters the schema refuses',
      wish: { json: { amount: '4.2e1' }, grant: { constraints: { amount: { any: true } } } },
      reason: 'parameters-invalid',
    },
    {
      name: 'no parameters where there must be',
      wish: { json: undefined, grant: { parameters: {} } },
      reason: 'parameters-invalid',
    },
  ])('refuses with $name and remembers nothing', async ({ wish, reason }) => {
    const attempt = refund(wish)
    expect(await coveredCall(attempt)).toMatchObject({ ok: false, reason })
    expect([attempt.token.bare, attempt.token.barred]).toEqual([undefined, undefined])
  })

  test('answers a call that is known by what was found then', async () => {
    const found: BareCall = {
      planned: plans.read,
      method: 'GET',
      target: '/x',
      route: undefined,
      mount: undefined,
      url: URL_OF_CALL,
      refusal: undefined,
      resource: 'order:7',
      parts: { id: '7' },
      facts: undefined,
    }
    const covered = Object.assign(attemptOf({ call: { target: '/x' } }), { known: found })
    expect(await coveredCall(covered)).toBeUndefined()
    expect([covered.resource, covered.parts, covered.parameters]).toEqual(['order:7', { id: '7' }, {}])
    const refusal = { ok: false, reason: 'resource-mismatch' } as const
    const barred = Object.assign(attemptOf(), { known: { ...found, refusal } })
    expect(await coveredCall(barred)).toBe(refusal)
    expect(barred.token.bare).toBeUndefined()
  })
})
