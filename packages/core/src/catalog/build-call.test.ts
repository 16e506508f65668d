import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { valueOf } from '../../test/value-of.ts'
import { decimal } from '../decimal/decimal-schema.ts'
import { parseStrictJson } from '../json/parse-strict-json.ts'
import type { JsonObject, JsonValue } from '../json/value.ts'
import { requestUrl } from '../proof/request-url.ts'
import type { Action } from './api.ts'
import { buildCall } from './build-call.ts'
import { defineApi } from './define-api.ts'
import { assembleParameters, parseParameters } from './parameters.ts'
import type { RequestInput } from './parameters.ts'
import { resourceFrom } from './resource.ts'

const { actions } = defineApi({
  audience: 'https://a.example',
  actions: {
    refund: {
      route: 'POST /orders/{id}/refund',
      resource: 'order:{id}',
      risk: 'write',
      parameters: z.object({ amount: decimal(), note: z.string().optional(), lines: z.array(z.string()).optional() }),
    },
    search: {
      route: 'GET /shops/{shop}/orders',
      resource: 'shop:{shop}',
      risk: 'read',
      parameters: z.object({ q: z.string().optional(), page: decimal({ scale: 0 }).optional() }),
    },
    move: {
      route: 'PUT /boxes/{id}/to/{shelf}',
      resource: 'box:{id}',
      risk: 'write',
      parameters: z.object({ shelf: z.string(), by: z.string().optional() }),
    },
    list: {
      route: 'GET /shops/{shop}/orders/{state}',
      resource: 'shop:{shop}',
      risk: 'read',
      parameters: z.object({ state: z.string(), q: z.string().optional() }),
    },
    drop: {
      route: 'DELETE /carts/{id}',
      resource: 'cart:{id}',
      risk: 'write',
      parameters: z.object({ why: z.string().optional() }),
    },
    ping: { route: 'POST /hosts/{id}', resource: 'host:{id}', risk: 'read' },
    root: { resource: 'file:{path}', risk: 'read' },
  },
})

/** What a router hands over: segments that are parameters, decoded once. */
function routeOf(action: Action, path: string): Record<string, string> {
  const segments = path.split('/')
  const template = (action.path ?? '').split('/')
  return Object.fromEntries(
    template.flatMap((part, index) =>
      part.startsWith('{') ? [[part.slice(1, -1), decodeURIComponent(segments[index] ?? '')]] : [],
    ),
  )
}

describe('buildCall()', () => {
  test.each<[Action, string, JsonObject, object]>([
    [
      actions.refund,
      'order:123',
      { amount: '42.00' },
      { method: 'POST', path: '/orders/123/refund', query: '', body: '{"amount":"42.00"}' },
    ],
    [
      actions.refund,
      'order:a b',
      { amount: '1', lines: ['x'] },
      { method: 'POST', path: '/orders/a%20b/refund', query: '', body: '{"amount":"1","lines":["x"]}' },
    ],
    [
      actions.search,
      'shop:s',
      { q: 'a&b=c d+é', page: '2' },
      {
        method: 'GET',
        path: '/shops/s/orders?q=a%26b%3Dc%20d%2B%C3%A9&page=2',
        query: 'q=a%26b%3Dc%20d%2B%C3%A9&page=2',
      },
    ],
    [actions.search, 'shop:s', {}, { method: 'GET', path: '/shops/s/orders', query: '' }],
    [actions.move, 'box:1', { shelf: 'x?y#z' }, { method: 'PUT', path: '/boxes/1/to/x%3Fy%23z', query: '' }],
    [
      actions.move,
      'box:1',
      { shelf: 'x', by: 'me' },
      { method: 'PUT', path: '/boxes/1/to/x', query: '', body: '{"by":"me"}' },
    ],
    [actions.ping, 'host:h', {}, { method: 'POST', path: '/hosts/h', query: '' }],
  ])('$name of %s with %j', (...[action, resource, parameters, call]) => {
    expect(buildCall(action, resource, parameters)).toEqual({ ok: true, value: call })
  })

  test.each<[string, Action, string, JsonObject, string]>([
    ['another kind', actions.refund, 'user:1', { amount: '1' }, 'resource-mismatch'],
    ['a class', actions.refund, 'order:*', { amount: '1' }, 'resource-mismatch'],
    ['a resource that is a path', actions.refund, 'order:../users/1', { amount: '1' }, 'resource-mismatch'],
    ['a resource with a query', actions.refund, 'order:1/refund?x=', { amount: '1' }, 'resource-mismatch'],
    [
      'a parameter the action does not know',
      actions.refund,
      'order:1',
      { amount: '1', admin: true },
      'parameters-invalid',
    ],
    [
      'a parameter named like a prototype member',
      actions.refund,
      'order:1',
      { constructor: 'x' },
      'parameters-invalid',
    ],
    ['a number in a query', actions.search, 'shop:s', { page: 2 }, 'parameters-invalid'],
    ['a list in a query', actions.search, 'shop:s', { q: ['a', 'b'] }, 'parameters-invalid'],
    ['a lone surrogate in a query', actions.search, 'shop:s', { q: '\ud800' }, 'parameters-invalid'],
    ['no route parameter', actions.move, 'box:1', {}, 'parameters-invalid'],
    ['a route parameter that is a path', actions.move, 'box:1', { shelf: '../../users/1' }, 'parameters-invalid'],
    ['a route parameter with a NUL', actions.move, 'box:1', { shelf: '\0' }, 'parameters-invalid'],
    ['a route parameter with a line break', actions.move, 'box:1', { shelf: 'a\nb' }, 'parameters-invalid'],
    ['a route parameter with a DEL', actions.move, 'box:1', { shelf: 'a\u007f' }, 'parameters-invalid'],
    ['a route parameter that is dots', actions.move, 'box:1', { shelf: '..' }, 'parameters-invalid'],
    ['an empty route parameter', actions.move, 'box:1', { shelf: '' }, 'parameters-invalid'],
    ['a route parameter that is a number', actions.move, 'box:1', { shelf: 1 }, 'parameters-invalid'],
    ['a lone surrogate in a body', actions.refund, 'order:1', { amount: '1', note: '\ud800' }, 'parameters-invalid'],
    ['an integer no double holds', actions.refund, 'order:1', { amount: 2 ** 60 }, 'parameters-invalid'],
    ['NaN in a body', actions.refund, 'order:1', { amount: Number.NaN }, 'parameters-invalid'],
    [
      'a function in a body',
      actions.refund,
      'order:1',
      { amount: (() => 1) as unknown as JsonValue },
      'parameters-invalid',
    ],
    [
      'a date in a body',
      actions.refund,
      'order:1',
      { amount: new Date(0) as unknown as JsonValue },
      'parameters-invalid',
    ],
    ['a local function', actions.root, 'file:a', {}, 'request-invalid'],
  ])('refuses %s', (...[, action, resource, parameters, reason]) => {
    expect(buildCall(action, resource, parameters)).toMatchObject({ ok: false, reason })
  })

  test('leaves out what is undefined', () => {
    const parameters = { amount: '1', note: undefined } as unknown as JsonObject
    expect(buildCall(actions.refund, 'order:1', parameters)).toMatchObject({
      ok: true,
      value: { body: '{"amount":"1"}' },
    })
  })

  test('what it builds, the server reads back', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1 })
    const made = fc.oneof(
      fc.record({
        action: fc.constant(actions.refund),
        id: text,
        parameters: fc.record({ amount: fc.constant('1.50'), note: text }, { requiredKeys: ['amount'] }),
      }),
      fc.record({
        action: fc.constant(actions.search),
        id: text,
        parameters: fc.record({ q: text, page: fc.constant('7') }, { requiredKeys: [] }),
      }),
      fc.record({
        action: fc.constant(actions.move),
        id: text,
        parameters: fc.record({ shelf: text, by: text }, { requiredKeys: ['shelf'] }),
      }),
    )
    let built = 0
    fc.assert(
      fc.property(made, ({ action, id, parameters }) => {
        const resource = `${action.kind}:${id}`
        const call = buildCall(action, resource, parameters)
        fc.pre(call.ok)
        built += 1
        const { path, query, body } = valueOf(call)
        const seen = valueOf(requestUrl('https://a.example', path))
        const route = routeOf(action, seen.path)
        const input = {
          route,
          query: seen.query,
          body: body === undefined ? undefined : valueOf(parseStrictJson(body)),
        }
        expect(seen.query).toBe(query)
        expect(resourceFrom(action, route)).toEqual({ ok: true, value: resource })
        expect(assembleParameters(action, input)).toEqual({ ok: true, value: parameters })
      }),
      { numRuns: 2000, maxSkipsPerRun: 100 },
    )
    expect(built).toBeGreaterThan(500)
  })
})

describe('assembleParameters()', () => {
  interface Given {
    readonly route?: object
    readonly query?: string
    readonly body?: JsonValue
  }
  /** Nothing but what is given is wrong: the route names the resource, and nothing else. */
  const assemble = (action: Action, given: Given) => {
    const route = { [/\{(\w+)\}/.exec(action.resource)?.[1] ?? 'id']: '1' }
    return assembleParameters(action, { route, query: '', body: undefined, ...given } as RequestInput)
  }

  test.each<[string, Action, Given, JsonObject]>([
    ['nothing', actions.ping, {}, {}],
    ['a body', actions.refund, { body: { amount: '1' } }, { amount: '1' }],
    ['an empty body', actions.ping, { body: {} }, {}],
    ['a query', actions.search, { route: { shop: 's' }, query: 'q=a%20b&page=1' }, { q: 'a b', page: '1' }],
    ['a plus sign as a space', actions.search, { route: { shop: 's' }, query: 'q=a+b%2B' }, { q: 'a b+' }],
    ['an empty value', actions.search, { route: { shop: 's' }, query: 'q=' }, { q: '' }],
    ['an equals sign in a value', actions.search, { route: { shop: 's' }, query: 'q=a=b' }, { q: 'a=b' }],
    [
      'route and query together',
      actions.list,
      { route: { shop: 's', state: 'x' }, query: 'q=1' },
      { state: 'x', q: '1' },
    ],
    ['the query of a DELETE', actions.drop, { query: 'why=x' }, { why: 'x' }],
    ['the body of a local function', actions.root, { route: { path: 'a' }, body: {} }, {}],
    ['an escaped name', actions.search, { route: { shop: 's' }, query: '%71=1' }, { q: '1' }],
    ['two plus signs', actions.search, { route: { shop: 's' }, query: 'q=a+b+c' }, { q: 'a b c' }],
    [
      'route and body together',
      actions.move,
      { route: { id: '1', shelf: 'x' }, body: { by: 'me' } },
      { shelf: 'x', by: 'me' },
    ],
  ])('takes %s', (...[, action, input, parameters]) => {
    expect(assemble(action, input)).toEqual({ ok: true, value: parameters })
  })

  test.each<[string, Action, Given, string]>([
    ['a list as body', actions.refund, { body: [] }, 'parameters-invalid'],
    ['text as body', actions.refund, { body: 'x' }, 'parameters-invalid'],
    ['null as body', actions.refund, { body: null }, 'parameters-invalid'],
    ['a member the action does not know', actions.refund, { body: { amount: '1', admin: true } }, 'parameters-invalid'],
    ['a member named like a prototype member', actions.refund, { body: { constructor: '1' } }, 'parameters-invalid'],
    [
      'a prototype',
      actions.refund,
      { body: JSON.parse('{"__proto__":{"amount":"1"}}') as JsonValue },
      'parameters-invalid',
    ],
    ['the resource in the body', actions.refund, { body: { id: '2' } }, 'parameters-invalid'],
    ['the resource in the query', actions.refund, { query: 'id=2', body: { amount: '1' } }, 'parameters-invalid'],
    [
      'one parameter in body and query',
      actions.refund,
      { query: 'amount=2', body: { amount: '1' } },
      'parameters-invalid',
    ],
    [
      'one parameter in route and body',
      actions.move,
      { route: { id: '1', shelf: 'x' }, body: { shelf: 'y' } },
      'parameters-invalid',
    ],
    [
      'one parameter in route and query',
      actions.move,
      { route: { id: '1', shelf: 'x' }, query: 'shelf=y' },
      'parameters-invalid',
    ],
    [
      'one parameter in route and query of a GET',
      actions.list,
      { route: { shop: 's', state: 'x' }, query: 'state=y' },
      'parameters-invalid',
    ],
    [
      'a route parameter in the query only',
      actions.list,
      { route: { shop: 's' }, query: 'state=y' },
      'parameters-invalid',
    ],
    ['the body of a DELETE', actions.drop, { body: { why: 'x' } }, 'parameters-invalid'],
    ['the query of a local function', actions.root, { route: { path: 'a' }, query: 'a=1' }, 'parameters-invalid'],
    ['a lone surrogate', actions.search, { route: { shop: 's' }, query: 'q=\ud800' }, 'request-malformed'],
    ['a lone surrogate in a name', actions.search, { route: { shop: 's' }, query: '\ud800=q' }, 'request-malformed'],
    ['a broken escape in a name', actions.search, { route: { shop: 's' }, query: '%zz=q' }, 'request-malformed'],
    [
      'a parameter of the query as part of the route',
      actions.search,
      { route: { shop: 's', q: 'x' } },
      'parameters-invalid',
    ],
    ['a route parameter in the body only', actions.move, { body: { shelf: 'y' } }, 'parameters-invalid'],
    ['a query where parameters travel in the body', actions.ping, { query: 'a=1' }, 'parameters-invalid'],
    ['a body where parameters travel in the query', actions.search, { body: { q: '1' } }, 'parameters-invalid'],
    ['an empty body where parameters travel in the query', actions.search, { body: {} }, 'parameters-invalid'],
    ['a query parameter twice', actions.search, { query: 'q=1&q=2' }, 'request-malformed'],
    ['a query parameter twice, once escaped', actions.search, { query: 'q=1&%71=2' }, 'request-malformed'],
    ['a query parameter as a list', actions.search, { query: 'q[]=1' }, 'parameters-invalid'],
    ['a query parameter as an object', actions.search, { query: 'q[a]=1' }, 'parameters-invalid'],
    ['a query parameter nobody knows', actions.search, { query: 'debug=1' }, 'parameters-invalid'],
    ['a query parameter named like a prototype', actions.search, { query: '__proto__=1' }, 'parameters-invalid'],
    ['a query parameter without a value', actions.search, { query: 'q' }, 'request-malformed'],
    ['a query parameter without a name', actions.search, { query: '=1' }, 'request-malformed'],
    ['an empty pair', actions.search, { query: 'q=1&' }, 'request-malformed'],
    ['a broken escape', actions.search, { query: 'q=%zz' }, 'request-malformed'],
    ['an escape that is not UTF-8', actions.search, { query: 'q=%ff' }, 'request-malformed'],
    [
      'a route parameter nobody knows',
      actions.refund,
      { route: { id: '1', extra: 'x' }, body: { amount: '1' } },
      'parameters-invalid',
    ],
    ['a route parameter that is a list', actions.move, { route: { id: '1', shelf: ['x'] } }, 'parameters-invalid'],
  ])('refuses %s', (...[, action, input, reason]) => {
    expect(assemble(action, input)).toMatchObject({ ok: false, reason })
  })
})

describe('parseParameters()', () => {
  test('answers what the schema makes of them', () => {
    const parsed = valueOf(parseParameters(actions.refund, { amount: '42.00' })) as {
      amount: { lte: (other: string) => boolean }
    }
    expect(parsed.amount.lte('42')).toBe(true)
  })

  test.each<[string, JsonObject, RegExp]>([
    ['a missing parameter', {}, /parameter 'amount'/],
    ['a number', { amount: 42 }, /parameter 'amount'/],
    ['one parameter more', { amount: '1', hunter2: 'x' }, /does not know/],
    ['a wrong item', { amount: '1', lines: [1] }, /^parameter 'lines' does not fit its schema$/],
    [
      'two parameters more',
      { amount: '1', hunter2: 'x', constructor: 'y' },
      /^there is a parameter the action does not/,
    ],
  ])('refuses %s and names the parameter only', (_name, raw, detail) => {
    expect(parseParameters(actions.refund, raw)).toMatchObject({
      ok: false,
      reason: 'parameters-invalid',
      detail: expect.stringMatching(detail),
    })
    expect(JSON.stringify(parseParameters(actions.refund, raw))).not.toContain('hunter2')
  })

  test.each<[string, z.ZodObject]>([
    [
      'throws',
      z.object({
        a: z.string().transform(() => {
          throw new Error('secret 4111')
        }),
      }),
    ],
    ['is asynchronous', z.object({ a: z.string().refine(async () => Promise.resolve(true)) })],
  ])('refuses where the schema %s', (_name, parameters) => {
    const api = defineApi({
      audience: 'https://a.example',
      actions: { x: { resource: 'x:{id}', risk: 'read', parameters } },
    })
    const answer = parseParameters(api.actions.x, { a: 'b' })
    expect(answer).toMatchObject({ ok: false, reason: 'parameters-invalid' })
    expect(JSON.stringify(answer)).not.toContain('4111')
  })
})
