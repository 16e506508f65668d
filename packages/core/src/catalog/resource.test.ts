import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { defineApi } from './define-api.ts'
import { matchResource, partsOfResource, resourceFrom } from './resource.ts'

const { actions } = defineApi({
  audience: 'https://a.example',
  actions: {
    one: { route: 'GET /orders/{id}', resource: 'order:{id}', risk: 'read' },
    two: { route: 'GET /shops/{shop}/orders/{id}', resource: 'order:{shop}:{id}', risk: 'read' },
    local: { resource: 'file:{path}', risk: 'write' },
    tail: { route: 'GET /carts/{id}/items', resource: 'cart:{id}.items', risk: 'read' },
    all: { route: 'GET /orders', resource: 'orders:all', risk: 'read' },
  },
})

describe('resourceFrom()', () => {
  test.each<[string, string]>([
    ['123', 'order:123'],
    ['a-b_c.d~e', 'order:a-b_c.d~e'],
    ['urn:x:1', 'order:urn:x:1'],
    ['a b', 'order:a b'],
    ['Ünïcode', 'order:Ünïcode'],
    ['\u00e9', 'order:\u00e9'],
    ['😀', 'order:😀'],
    ['a.b', 'order:a.b'],
    ['.a', 'order:.a'],
    ['a'.repeat(506), `order:${'a'.repeat(506)}`],
    ["o'neil@x+y", "order:o'neil@x+y"],
  ])('names %j as %s', (id, resource) => {
    expect(resourceFrom(actions.one, { id })).toEqual({ ok: true, value: resource })
  })

  test.each<[string, unknown]>([
    ['nothing', ''],
    ['a slash', 'a/b'],
    ['a backslash', 'a\\b'],
    ['a dot', '.'],
    ['two dots', '..'],
    ['two dots inside', 'a..b'],
    ['an asterisk', '*'],
    ['an asterisk inside', 'a*'],
    ['an escape left over', 'a%2fb'],
    ['a percent sign', '100%'],
    ['a NUL', 'a\u0000'],
    ['a line break', 'a\nb'],
    ['a DEL', 'a\u007f'],
    ['a C1 control', 'a\u0085'],
    ['a line separator', 'a\u2028b'],
    ['a direction override', 'a\u202eb'],
    ['a zero-width space', 'a\u200bb'],
    ['a byte order mark', '\ufeffa'],
    ['a lone surrogate', 'a\ud800'],
    ['a decomposed letter', 'e\u0301'],
    ['a letter that is composed otherwise', '\u212b'],
    ['too much', 'a'.repeat(600)],
    ['one character too much', 'a'.repeat(507)],
    ['a list', ['123']],
    ['a number', 123],
    ['null', null],
    ['undefined', undefined],
  ])('refuses %s', (_name, id) => {
    expect(resourceFrom(actions.one, { id } as Record<string, string>)).toMatchObject({
      ok: false,
      reason: 'request-malformed',
    })
  })

  test('refuses a parameter that only a prototype has', () => {
    expect(resourceFrom(actions.one, Object.create({ id: '123' }) as Record<string, string>).ok).toBe(false)
    expect(resourceFrom(actions.one, {}).ok).toBe(false)
  })

  test('partsOfResource() undoes it: no two sets of values name one resource', () => {
    const part = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.array(fc.constantFrom('a', ':', '.', '/', '*'), { maxLength: 3 }).map((pieces) => pieces.join('')),
    )
    fc.assert(
      fc.property(part, part, (shop, id) => {
        const named = resourceFrom(actions.two, { shop, id })
        const parts = named.ok ? partsOfResource(actions.two, named.value) : { ok: true, value: { shop, id } }
        expect(parts).toEqual({ ok: true, value: { shop, id } })
      }),
      { numRuns: 2000 },
    )
  })
})

describe('partsOfResource()', () => {
  test.each([
    '',
    'order',
    'order:',
    'user:1',
    'Order:1',
    'order:a/b',
    'order:*',
    'order:..',
    'order:%31',
    'order:1\n',
    'xorder:1',
  ])('refuses %j', (resource) => {
    expect(partsOfResource(actions.one, resource)).toMatchObject({ ok: false, reason: 'resource-mismatch' })
  })

  test.each(['order:a', 'order:a:', 'order::a', 'order:a:b:c'])('refuses %j, of two parts', (resource) => {
    expect(partsOfResource(actions.two, resource)).toMatchObject({ ok: false, reason: 'resource-mismatch' })
  })

  test.each([
    'cart:a',
    'cart:.items',
    'cart:a.item',
    'cart:a.items.',
    'cart:a.itemsx',
    'tray:a.items',
    'cart:',
    '.items',
  ])('refuses %j, where text follows the part', (resource) => {
    expect(partsOfResource(actions.tail, resource)).toMatchObject({ ok: false, reason: 'resource-mismatch' })
  })

  test.each(['orders:', 'orders:al', 'orders:all:', 'orders:allx', 'Orders:all', 'orders:*', ''])(
    'refuses %j, of no parts',
    (resource) => {
      expect(partsOfResource(actions.all, resource)).toMatchObject({ ok: false, reason: 'resource-mismatch' })
    },
  )

  test('reads text after the part, and a resource without one', () => {
    expect(partsOfResource(actions.tail, 'cart:a.items')).toEqual({ ok: true, value: { id: 'a' } })
    expect(partsOfResource(actions.all, 'orders:all')).toEqual({ ok: true, value: {} })
    expect(partsOfResource(actions.two, 'order:a:b')).toEqual({ ok: true, value: { shop: 'a', id: 'b' } })
  })

  test('reads the resource of a local function', () => {
    expect(partsOfResource(actions.local, 'file:a')).toEqual({ ok: true, value: { path: 'a' } })
  })
})

describe('matchResource()', () => {
  test.each([
    ['order:1', 'order:1'],
    ['order:*', 'order:1'],
    ['order:*', 'order:a:b'],
  ])('%s stands for %s', (pattern, resource) => {
    expect(matchResource(pattern, resource)).toBe(true)
  })

  test.each(
    [
      ['order:1', 'order:2'],
      ['order:1', 'order:11'],
      ['order:1', 'Order:1'],
      ['order:*', 'user:1'],
      ['order:*', 'order:'],
      ['order:*', 'order'],
      ['order:*', 'orders:1'],
      ['order:*', 'order:*'],
      ['order:*', 'order:1*'],
      ['*', 'order:1'],
      [':*', 'order:1'],
      [':*', ':1'],
      ['*:*', 'order:1'],
      ['order:a:*', 'order:a:b'],
      ['order*', 'order:1'],
      ['order:1*', 'order:12'],
      ['order:*:b', 'order:a:b'],
      ['order:**', 'order:1'],
      ['', ''],
    ].filter(([pattern]) => pattern !== ''),
  )('%s does not stand for %s', (pattern, resource) => {
    expect(matchResource(pattern ?? '', resource ?? '')).toBe(false)
  })
})
