import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { decimal } from '../decimal/decimal-schema.ts'
import type { ActionInput } from './api.ts'
import { buildCall } from './build-call.ts'
import { defineApi } from './define-api.ts'
import { apisOf, findAction } from './find-action.ts'
import { resourceFrom } from './resource.ts'

const action: ActionInput = { route: 'POST /orders/{id}/refund', resource: 'order:{id}', risk: 'write' }
const define = (change: object, audience: unknown = 'https://orders.example') =>
  defineApi({ audience: audience as string, actions: { 'refund.create': { ...action, ...change } } })
const withParameters = (parameters: unknown, change: object = {}) => define({ parameters, ...change })

describe('defineApi()', () => {
  test('describes each action', () => {
    const api = define({ title: 'Refund', parameters: z.object({ amount: decimal() }) })
    expect(api.actions['refund.create']).toMatchObject({
      name: 'refund.create',
      audience: 'https://orders.example',
      method: 'POST',
      path: '/orders/{id}/refund',
      resource: 'order:{id}',
      kind: 'order',
      risk: 'write',
      title: 'Refund',
    })
  })

  test('makes parameters strict, declared or not', () => {
    const parse = (parameters: unknown, value: unknown) =>
      withParameters(parameters).actions['refund.create']?.parameters.safeParse(value).success
    expect(parse(z.object({ amount: decimal() }), { amount: '1', all: true })).toBe(false)
    expect(parse(z.object({ amount: decimal() }), { amount: '1' })).toBe(true)
    expect(parse(undefined, { all: true })).toBe(false)
    expect(parse(undefined, {})).toBe(true)
  })

  test('keeps a refinement of the whole', () => {
    const parameters = z.object({ from: decimal(), to: decimal() }).refine(({ from, to }) => from.lte(to))
    const strict = withParameters(parameters).actions['refund.create']?.parameters
    expect(strict?.safeParse({ from: '1', to: '2' }).success).toBe(true)
    expect(strict?.safeParse({ from: '2', to: '1' }).success).toBe(false)
  })

  test('cannot be changed afterwards', () => {
    const api = define({}) as unknown as { audience: string; actions: Record<string, { risk: string }> }
    expect(() => (api.audience = 'https://evil.example')).toThrow(TypeError)
    expect(() => (api.actions['x'] = { risk: 'read' })).toThrow(TypeError)
    expect(() => Object.assign(api.actions['refund.create'] ?? {}, { risk: 'read' })).toThrow(TypeError)
  })

  test.each([
    'http://localhost:3000',
    'https://orders.example/',
    'https://orders.example/v1',
    'HTTPS://ORDERS.EXAMPLE'.toLowerCase(),
  ])('takes the audience %s', (audience) => {
    expect(define({}, audience).audience).toBe(audience)
  })

  test.each([
    '',
    'orders',
    '/orders',
    'urn:orders',
    'ftp://orders.example',
    'https://',
    'https://orders.example?a=1',
    'https://orders.example?',
    'https://orders.example#a',
    'https://orders.example#',
    'https://user@orders.example',
    ' https://orders.example',
    'https://orders.example\n',
    null,
    1,
  ])('refuses the audience %j', (audience) => {
    expect(() => define({}, audience)).toThrow(expect.objectContaining({ code: 'api-invalid' }))
  })

  test.each(['', ' ', '__proto__', 'a b', 'a/b', '*', 'refund.*', '1a', 'é', 'a'.repeat(129)])(
    'refuses an action named %j',
    (name) => {
      const actions = Object.fromEntries([[name, action]])
      expect(() => defineApi({ audience: 'https://a.example', actions })).toThrow(
        expect.objectContaining({ code: 'api-invalid' }),
      )
    },
  )

  test.each<[string, object, RegExp]>([
    ['a misspelt member', { paramters: z.object({}) }, /'paramters'/],
    ['no risk', { risk: undefined }, /risk/],
    ['another risk', { risk: 'low' }, /risk/],
    ['a route without a method', { route: '/orders/{id}' }, /route/],
    ['a route with another method', { route: 'TRACE /orders/{id}' }, /route/],
    ['a method in lower case', { route: 'post /orders/{id}' }, /route/],
    ['two spaces', { route: 'POST  /orders/{id}' }, /route/],
    ['Express syntax', { route: 'POST /orders/:id' }, /route/],
    ['a wildcard', { route: 'POST /orders/{id}/*' }, /route/],
    ['a query in the route', { route: 'POST /orders/{id}?a' }, /route/],
    ['a double slash', { route: 'POST /orders//{id}' }, /route/],
    ['a slash at the end', { route: 'POST /orders/{id}/' }, /route/],
    ['dot segments', { route: 'POST /orders/../{id}' }, /route/],
    ['an escape', { route: 'POST /orders%2f/{id}' }, /route/],
    ['half a segment', { route: 'POST /orders/a{id}' }, /route/],
    ['two parameters in one segment', { route: 'POST /orders/{a}{id}' }, /route/],
    ['an unclosed parameter', { route: 'POST /orders/{id' }, /route/],
    ['an empty parameter', { route: 'POST /orders/{}/{id}' }, /route/],
    ['one parameter twice', { route: 'POST /orders/{id}/{id}' }, /twice/],
    ['a resource without a kind', { resource: '{id}' }, /resource/],
    ['a kind without a resource', { resource: 'order:' }, /resource/],
    ['a class as resource', { resource: 'order:*' }, /resource/],
    ['a kind with capitals', { resource: 'Order:{id}' }, /resource/],
    ['a kind that is a parameter', { resource: '{kind}:{id}', route: 'POST /{kind}/{id}' }, /resource/],
    ['a resource with a slash before it', { resource: '/order:{id}' }, /resource/],
    ['a resource that names one parameter twice', { resource: 'order:{id}:{id}' }, /resource/],
    [
      'two resource parameters without text between',
      { resource: 'order:{shop}{id}', route: 'POST /{shop}/{id}' },
      /text between/,
    ],
    ['a resource parameter that is not in the route', { resource: 'order:{order}' }, /\{order\}/],
    ['a route parameter nothing knows', { route: 'POST /shops/{shop}/orders/{id}' }, /\{shop\}/],
  ])('refuses %s', (_name, change, message) => {
    expect(() => define(change)).toThrow(
      expect.objectContaining({ code: 'api-invalid', message: expect.stringMatching(message) }),
    )
  })

  test.each<[string, unknown, RegExp]>([
    ['a schema that is no object', z.string(), /z\.object/],
    ['something that is no schema', { amount: 'string' }, /z\.object/],
    ['a loose object', z.looseObject({ a: z.string() }), /does not name/],
    ['an object with a catch-all', z.object({ a: z.string() }).catchall(z.string()), /does not name/],
    [
      'a nested object that strips',
      z.object({ to: z.object({ iban: z.string() }) }),
      /parameters\.to is an object.*z\.strictObject/,
    ],
    ['a nested loose object', z.object({ to: z.looseObject({}) }), /z\.strictObject/],
    [
      'an object in a list',
      z.object({ lines: z.array(z.object({ sku: z.string() })) }),
      /parameters\.lines\[\] is an object.*z\.strictObject/,
    ],
    ['an object in an option', z.object({ to: z.object({}).optional() }), /z\.strictObject/],
    ['an object in a null', z.object({ to: z.object({}).nullable() }), /z\.strictObject/],
    ['an object with a default', z.object({ to: z.object({}).prefault({}) }), /z\.strictObject/],
    ['an object in a union', z.object({ to: z.union([z.string(), z.object({})]) }), /z\.strictObject/],
    [
      'an object in a tagged union',
      z.object({ to: z.discriminatedUnion('k', [z.object({ k: z.literal('a') })]) }),
      /z\.strictObject/,
    ],
    ['an object in a tuple', z.object({ to: z.tuple([z.object({})]) }), /z\.strictObject/],
    ['an object in the rest of a tuple', z.object({ to: z.tuple([z.string()], z.object({})) }), /z\.strictObject/],
    ['an object in a record', z.object({ to: z.record(z.string(), z.object({})) }), /z\.strictObject/],
    [
      'an object in an intersection',
      z.object({ to: z.intersection(z.strictObject({}), z.object({})) }),
      /z\.strictObject/,
    ],
    ['an object before a transform', z.object({ to: z.object({}).transform(() => 1) }), /z\.strictObject/],
    [
      'an object two levels down',
      z.object({ a: z.strictObject({ b: z.strictObject({ c: z.object({}) }) }) }),
      /parameters\.a\.b\.c is/,
    ],
    ['an object behind a lazy schema', z.object({ to: z.lazy(() => z.object({})) }), /z\.strictObject/],
    ['anything', z.object({ a: z.any() }), /parameters\.a takes anything/],
    ['the unknown', z.object({ a: z.unknown() }), /takes anything/],
    ['a custom check', z.object({ a: z.custom<string>() }), /takes anything/],
    ['an instance', z.object({ a: z.instanceof(Date) }), /takes anything/],
    ['a preprocessor', z.object({ a: z.preprocess((value) => value, z.string()) }), /takes anything/],
    ['a coerced number', z.object({ a: z.coerce.number() }), /coerces/],
    ['a coerced text', z.object({ a: z.coerce.string() }), /coerces/],
    ['a value for invalid input', z.object({ a: z.string().catch('x') }), /\.catch\(\)/],
    ['a date', z.object({ a: z.date() }), /is a date, which JSON cannot carry/],
    ['a bigint', z.object({ a: z.bigint() }), /JSON cannot carry/],
    ['a map', z.object({ a: z.map(z.string(), z.string()) }), /JSON cannot carry/],
    ['a set', z.object({ a: z.set(z.string()) }), /JSON cannot carry/],
    ['undefined', z.object({ a: z.undefined() }), /JSON cannot carry/],
    ['a parameter in the resource too', z.object({ id: z.string() }), /'id' both/],
    ['a parameter named like an escape', z.object({ 'a b': z.string() }), /'a b'/],
    ['a parameter named __proto__', z.object(Object.fromEntries([['__proto__', z.string()]])), /__proto__/],
  ])('refuses parameters with %s', (_name, parameters, message) => {
    expect(() => withParameters(parameters)).toThrow(
      expect.objectContaining({ code: 'api-invalid', message: expect.stringMatching(message) }),
    )
  })

  const tree: z.ZodType = z.lazy(() => z.strictObject({ children: z.array(tree) }))
  test.each<[string, z.ZodObject]>([
    ['nested strict objects', z.object({ to: z.strictObject({ iban: z.string() }) })],
    [
      'lists, enums, literals, numbers and null',
      z.object({ a: z.array(z.enum(['x'])), b: z.literal(1), c: z.number(), d: z.int(), e: z.null(), f: z.boolean() }),
    ],
    [
      'a tagged union of strict objects',
      z.object({
        to: z.discriminatedUnion('k', [z.strictObject({ k: z.literal('a') }), z.strictObject({ k: z.literal('b') })]),
      }),
    ],
    ['records of decimals', z.object({ lines: z.record(z.string(), decimal()) })],
    ['any JSON, said so', z.object({ a: z.json() })],
    ['tuples', z.object({ a: z.tuple([z.string(), z.int()]), b: z.tuple([z.string()], z.int()) })],
    [
      'text formats and checks',
      z.object({
        a: z.email(),
        b: z.uuid(),
        c: z.iso.date(),
        d: z.url(),
        e: z.string().max(3).regex(/x/),
        f: z.templateLiteral(['a', z.string()]),
      }),
    ],
    [
      'wrappers and transforms',
      z.object({
        a: z.string().optional(),
        b: z.string().default('x'),
        c: z.string().nullable(),
        d: z.string().transform(Number).readonly(),
        e: z.stringbool(),
      }),
    ],
    ['a tree', z.object({ root: tree })],
    ['a refinement', z.object({ a: decimal().refine((amount) => amount.gt('0')) }).refine(() => true)],
  ])('takes parameters with %s', (_name, parameters) => {
    expect(() => withParameters(parameters)).not.toThrow()
  })

  test.each<[string, z.ZodType]>([
    ['a number', z.number()],
    ['a boolean', z.boolean()],
    ['a list', z.array(z.string())],
    ['an object', z.strictObject({})],
    ['a number or nothing', z.number().optional()],
    ['text or a number', z.union([z.string(), z.number()])],
    ['a literal number', z.literal(1)],
    ['a numeric enum', z.enum({ a: 1 })],
    ['an enum of text and a number', z.enum({ a: 'x', b: 1 })],
    ['a literal that is text or a number', z.literal(['a', 1])],
    ['a list of texts or nothing', z.array(z.string()).optional()],
    ['null', z.null()],
  ])('refuses %s where parameters travel as text', (_name, schema) => {
    const message = /decimal\(\{ scale: 0 \}\).*z\.enum/
    const inQuery = () => withParameters(z.object({ a: schema }), { route: 'GET /orders/{id}' })
    const inRoute = () => withParameters(z.object({ a: schema }), { route: 'POST /orders/{id}/{a}' })
    const inBody = () => withParameters(z.object({ a: schema }))
    expect(inQuery).toThrow(expect.objectContaining({ message: expect.stringMatching(message) }))
    expect(inRoute).toThrow(expect.objectContaining({ message: expect.stringMatching(message) }))
    expect(inBody).not.toThrow()
  })

  test.each<[string, z.ZodType]>([
    ['a decimal', decimal({ scale: 0 })],
    ['an optional decimal', decimal().optional()],
    ['an enum', z.enum(['a', 'b'])],
    ['a literal', z.literal('a')],
    ['text', z.string()],
    ['a date as text', z.iso.date()],
    ['a transform of text', z.string().transform(Number)],
    ['a template', z.templateLiteral(['a-', z.string()])],
    ['texts of two kinds', z.union([z.literal('a'), z.string()])],
    ['a text boolean', z.stringbool()],
    ['a default', z.enum(['a']).default('a')],
  ])('takes %s where parameters travel as text', (_name, schema) => {
    expect(() => withParameters(z.object({ a: schema }), { route: 'GET /orders/{id}' })).not.toThrow()
  })

  test.each<[string, string, string]>([
    ['the same route', 'GET /orders/{id}', 'GET /orders/{id}'],
    ['another parameter name', 'GET /orders/{id}', 'GET /orders/{order}'],
    ['fixed text where the other has a parameter', 'GET /orders/{id}', 'GET /{id}/latest'],
    ['another case', 'GET /orders/{id}', 'GET /Orders/{id}'],
  ])('refuses two actions with %s', (_name, one, other) => {
    const resource = (route: string) => `x:{${/\{(\w+)\}/.exec(route)?.[1] ?? ''}}` as const
    const actions = {
      first: { route: one as 'GET /', resource: resource(one), risk: 'read' as const },
      second: { route: other as 'GET /', resource: resource(other), risk: 'read' as const },
    }
    expect(() => defineApi({ audience: 'https://a.example', actions })).toThrow(
      /'first' and 'second' match the same requests/,
    )
  })

  test('takes routes that differ by method, length or text', () => {
    const read = { resource: 'x:{id}', risk: 'read' } as const
    const actions = {
      a: { route: 'GET /x/{id}', ...read },
      b: { route: 'PUT /x/{id}', ...read },
      c: { route: 'GET /x/{id}/parts', ...read },
      d: { route: 'GET /y/{id}', ...read },
      e: read,
      f: read,
    } as const
    expect(Object.keys(defineApi({ audience: 'https://a.example', actions }).actions)).toHaveLength(6)
  })
})

describe('findAction()', () => {
  const orders = define({})
  const users = defineApi({
    audience: 'https://users.example',
    actions: { 'user.lock': { resource: 'user:{id}', risk: 'critical' } },
  })

  test('finds an action in one API or in several', () => {
    expect(findAction(orders, 'refund.create')?.audience).toBe('https://orders.example')
    expect(findAction([orders, users], 'user.lock')?.audience).toBe('https://users.example')
    expect(apisOf([orders, users])).toEqual([orders, users])
    expect(apisOf(orders)).toEqual([orders])
  })

  test.each(['', 'refund', 'Refund.create', 'constructor', 'toString', '__proto__'])('finds nothing for %j', (name) => {
    expect(findAction([orders, users], name)).toBeUndefined()
  })
})

describe('defineApi() with a constant resource', () => {
  const all = { route: 'GET /orders', resource: 'orders:all', risk: 'read' } as const
  const one = { route: 'GET /orders/{id}', resource: 'order:{id}', risk: 'read' } as const

  test('names what a route without parameters is about, and builds its call', () => {
    const api = defineApi({ audience: 'https://orders.example', actions: { 'order.list': all, 'order.read': one } })
    const action = api.actions['order.list']
    expect(resourceFrom(action, {})).toEqual({ ok: true, value: 'orders:all' })
    expect(buildCall(action, 'orders:all', {})).toMatchObject({ ok: true, value: { method: 'GET', path: '/orders' } })
    expect(buildCall(action, 'orders:1', {}).ok).toBe(false)
  })

  test('keeps its kind apart from resources that a parameter names', () => {
    const actions = { 'order.list': { ...all, resource: 'order:all' }, 'order.read': one } as const
    expect(() => defineApi({ audience: 'https://orders.example', actions })).toThrow(/kind of its own/)
  })
})
