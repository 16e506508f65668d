import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { temporaryDirectory } from '../../../test/hallpass.ts'
import { catalogSource } from './catalog-source.ts'
import { readDocument } from './document.ts'
import { draftCatalog } from './draft-catalog.ts'
import type { ActionDraft, CatalogDraft } from './draft.ts'
import { guessRoute, nameFrom, overlaps, singular } from './route-guess.ts'

function draft(paths: object, more: object = {}): CatalogDraft {
  const file = join(temporaryDirectory(), 'openapi.json')
  writeFileSync(file, JSON.stringify({ openapi: '3.1.0', paths, ...more }))
  return draftCatalog(readDocument(file))
}
const only = (paths: object, more: object = {}): ActionDraft | undefined => draft(paths, more).actions[0]
const body = (schema: object) => ({ requestBody: { required: true, content: { 'application/json': { schema } } } })
/** The zod text of one member of a body. */
const member = (schema: object, more: object = {}): string | undefined =>
  only({ '/orders/{id}': { put: body({ type: 'object', properties: { x: schema }, required: ['x'] }) } }, more)
    ?.parameters[0]?.source
const inQuery = (schema: object): string | undefined =>
  only({ '/orders/{id}': { get: { parameters: [{ name: 'x', in: 'query', schema }] } } })?.parameters[0]?.source

describe('draftCatalog() guesses', () => {
  test.each([
    ['get /orders/{id}', { name: 'order.read', resource: 'order:{id}', risk: 'read' }],
    ['post /orders/{id}/refund', { name: 'refund.create', resource: 'order:{id}', risk: 'write' }],
    ['delete /orders/{order-id}', { name: 'order.delete', resource: 'order:{order_id}', risk: 'critical' }],
    ['put /shops/{shopId}/orders/{id}', { name: 'order.replace', resource: 'order:{shopId}:{id}', risk: 'write' }],
    ['patch /v1/companies/{id}/', { name: 'company.update', resource: 'company:{id}', risk: 'write' }],
    ['get /orders', { resource: 'orders:all', risk: 'read' }],
    ['get /{id}', { name: 'resource.read', resource: 'resource:{id}', risk: 'read' }],
  ])('what %s is', (route, wanted) => {
    const [method = '', path = ''] = route.split(' ')
    expect(only({ [path]: { [method]: {} } })).toMatchObject(wanted)
  })

  test('takes the words of the document where it has some', () => {
    const operation = { operationId: 'Refund an order!', summary: 'Refund', 'x-hallpass-risk': 'critical' }
    expect(only({ '/orders/{id}/refund': { post: operation } })).toMatchObject({
      name: 'Refund.an.order.',
      title: 'Refund',
      risk: 'critical',
    })
  })

  test.each([
    ['names no resource', { '/': { get: {} } }],
    ['has a strange segment', { '/orders/{id}.json': { get: {} } }],
    ['carries a form', { '/orders/{id}': { post: { requestBody: { content: { 'multipart/form-data': {} } } } } }],
    ['carries a list', { '/orders/{id}': { post: body({ type: 'array', items: { type: 'string' } }) } }],
    ['names a parameter twice', { '/orders/{id}': { post: body({ properties: { id: { type: 'string' } } }) } }],
  ])('leaves out, and says so, what %s', (_name, paths) => {
    const { actions, leftOut } = draft(paths)
    expect({ actions, leftOut: leftOut.length }).toEqual({ actions: [], leftOut: 1 })
  })

  test('leaves out the second of two routes that one request could mean', () => {
    const { actions, leftOut } = draft({
      '/orders/{id}': { get: {} },
      '/orders/{other}': { get: {} },
      '/Orders/{id}': { get: {} },
    })
    expect([actions.length, leftOut.length]).toEqual([1, 2])
  })

  test('marks what it could not decide', () => {
    const parameters = [
      { name: 'X-Tenant', in: 'header' },
      { name: 'a b', in: 'query' },
    ]
    const notes = only({
      '/a/{x}/b/{y}': { post: { ...body({ properties: { n: { type: 'number' } } }), parameters } },
    })?.notes
    expect(notes?.join('\n')).toMatch(
      /path parameters[^]*besides a body[^]*X-Tenant[^]*a b[^]*totals count only decimal[^]*risk is write/,
    )
  })

  test.each([
    [undefined, 'https://api.example', 1],
    ['https://api.shop.example/v1/', 'https://api.shop.example/v1', 0],
    ['/v1', 'https://api.example', 1],
    ['https://{region}.shop.example', 'https://api.example', 1],
    ['https://user:secret@shop.example', 'https://api.example', 1],
    ['javascript:alert(1)', 'https://api.example', 1],
  ])('the server %s makes the audience %s', (url, audience, notes) => {
    const drafted = draft({ '/a/{x}': { get: {} } }, { servers: [{ url }] })
    expect([drafted.audience, drafted.notes.length]).toEqual([audience, notes])
  })
})

describe('draftCatalog() writes schemas', () => {
  test.each([
    [{ type: 'string', minLength: 2, maxLength: 9 }, 'z.string().min(2).max(9)'],
    [{ enum: ['a', "b'c"] }, "z.enum(['a', 'b\\'c'])"],
    [{ enum: [1, 2] }, 'z.literal([1, 2])'],
    [{ const: 'x' }, "z.enum(['x'])"],
    [{ type: 'integer', minimum: 1 }, 'z.int().min(1)'],
    [{ type: 'number', maximum: 2.5 }, 'z.number().max(2.5)'],
    [{ type: 'boolean' }, 'z.boolean()'],
    [{ type: ['string', 'null'] }, 'z.string().nullable()'],
    [{ type: 'string', nullable: true }, 'z.string().nullable()'],
    [{ type: 'array', items: { type: 'integer' }, maxItems: 3 }, 'z.array(z.int()).max(3)'],
    [
      { type: 'object', properties: { a: { type: 'string' }, b: { type: 'boolean' } }, required: ['a'] },
      'z.strictObject({ a: z.string(), b: z.boolean().optional() })',
    ],
    [
      { allOf: [{ properties: { a: { type: 'string' } } }, { properties: { b: { type: 'string' } } }] },
      'z.strictObject({ a: z.string().optional(), b: z.string().optional() })',
    ],
    [{ oneOf: [{ type: 'string' }, { type: 'integer' }] }, 'z.union([z.string(), z.int()])'],
    [{ type: 'object' }, 'z.json()'],
    [{}, 'z.json()'],
    [{ $ref: 'other.yaml#/A' }, 'z.json()'],
    [{ $ref: '#/components/schemas/Circle' }, 'z.json()'],
  ])('%j in a body as %s', (schema, source) => {
    const schemas = { Circle: { $ref: '#/components/schemas/Circle' } }
    expect(member(schema, { components: { schemas } })).toBe(source)
  })

  test.each([
    [{ type: 'integer' }, 'decimal({ scale: 0 })'],
    [{ type: 'number' }, 'decimal()'],
    [{ type: 'boolean' }, "z.enum(['true', 'false'])"],
    [{ enum: [1, 2] }, "z.enum(['1', '2'])"],
    [{ type: 'array' }, 'z.string()'],
  ])('%j in a query as text: %s', (schema, source) => {
    expect(inQuery(schema)).toBe(source)
  })

  test('a schema that holds itself once, and then as any JSON', () => {
    const schemas = { Loop: { properties: { next: { $ref: '#/components/schemas/Loop' } } } }
    const source = member({ $ref: '#/components/schemas/Loop' }, { components: { schemas } })
    expect(source).toBe('z.strictObject({ next: z.json().optional() })')
  })

  test('no more text than a person could read, whatever a small document asks for', () => {
    const level = (n: number) => ({
      properties: Object.fromEntries(
        'abcdefghij'.split('').map((name) => [name, { $ref: `#/components/schemas/S${n + 1}` }]),
      ),
    })
    const schemas = Object.fromEntries(Array.from({ length: 9 }, (_, n) => [`S${n}`, level(n)]))
    expect(member({ $ref: '#/components/schemas/S0' }, { components: { schemas } })?.length).toBeLessThan(1_000_000)
  })

  test('leaves out what only the server writes, and what no parameter can be named', () => {
    const properties = { id2: { type: 'string', readOnly: true }, 'a b': { type: 'string' }, ok: { type: 'string' } }
    const action = only({ '/orders/{id}': { put: body({ properties }) } })
    expect(action?.parameters.map(({ name }) => name)).toEqual(['ok'])
    expect(action?.notes.join()).toContain('a b')
  })
})

describe('catalogSource()', () => {
  test('lets no text of a document become code', () => {
    const evil = "'); process.exit(7); ('\n*/ process.exit(7) //\u2028process.exit(7)\\"
    const drafted = draft(
      {
        [`/orders/{${evil}}`]: {
          get: { summary: evil, operationId: evil, parameters: [{ name: evil, in: 'header' }] },
        },
        '/a/{x}': {
          put: {
            summary: evil,
            ...body({ properties: { e: { enum: [evil] }, p: { type: 'string', pattern: evil }, [evil]: {} } }),
          },
        },
      },
      { info: { title: evil } },
    )
    const source = catalogSource(drafted, { isDrafted: true })
    // Every line that names it is one comment, or one literal that its own quote cannot end.
    const lines = source.split(/[\n\u2028\u2029]/).filter((line) => line.includes('process.exit'))
    const isHarmless = (line: string): boolean =>
      /^\s*\/\/ /.test(line) || /^[^']*'(?:[^'\\]|\\.)*'(?:[^']*'(?:[^'\\]|\\.)*')*[^']*$/.test(line)
    expect(lines.length).toBeGreaterThan(3)
    expect(lines.filter((line) => !isHarmless(line))).toEqual([])
  })
})

describe('readDocument()', () => {
  test.each([
    ['nothing', undefined, 'There is no OpenAPI document'],
    ['Swagger 2', '{"swagger":"2.0","paths":{}}', 'no OpenAPI 3 document'],
    ['no paths', 'openapi: 3.0.0', 'no OpenAPI 3 document'],
    ['a list', '[]', 'no OpenAPI 3 document'],
    ['neither JSON nor YAML', '{"a": [}', 'neither JSON nor YAML'],
    [
      'a bomb of aliases',
      `a: &a [x,x,x,x,x,x,x,x,x,x]\n${'bcdefghi'.replaceAll(/./g, (c) => `${c}: &${c} [${`*${String.fromCodePoint((c.codePointAt(0) ?? 0) - 1)},`.repeat(10)}]\n`)}`,
      'neither JSON nor YAML',
    ],
  ])('refuses %s', (_name, text, words) => {
    const file = join(temporaryDirectory(), 'openapi.yaml')
    for (const content of text === undefined ? [] : [text]) writeFileSync(file, content)
    expect(() => readDocument(file)).toThrow(words)
  })
})

describe('guesses about words', () => {
  test.each([
    ['orders', 'order'],
    ['companies', 'company'],
    ['addresses', 'address'],
    ['boxes', 'box'],
    ['status', 'status'],
    ['gas', 'ga'],
    ['order', 'order'],
  ])('singular() of %s is %s', (many, one) => {
    expect(singular(many)).toBe(one)
  })

  test.each([
    ['/a/{x}', '/a/b', true],
    ['/a/{x}', '/a/{x}/b', false],
    ['/a/b', '/A/B', true],
    ['/a/b', '/a/c', false],
  ])('overlaps() of %s and %s is %s', (one, other, answer) => {
    expect(overlaps(one, other)).toBe(answer)
  })

  test.each([
    ['getOrder', 'getOrder'],
    ['1st', 'st'],
    ['', undefined],
    ['!!!', undefined],
    ['x'.repeat(200), undefined],
  ])('nameFrom() of %j is %s', (id, name) => {
    expect(nameFrom(id)).toBe(name)
  })

  test('guessRoute() keeps parameters apart that would get one name', () => {
    expect(guessRoute('/a/{x-y}/{x_y}')).toContain('two parameters')
  })
})
