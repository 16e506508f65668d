import { describe, expect, test } from 'vitest'
import type { Action, Method } from './api.ts'
import { compileAction, inQuery, parsePath, parseResource } from './route-template.ts'

describe('parsePath()', () => {
  test.each<[string, object[]]>([
    ['/', []],
    ['/orders', [{ literal: 'orders' }]],
    ['/orders/{id}', [{ literal: 'orders' }, { parameter: 'id' }]],
    ['/{shop}/{id}/v1.2', [{ parameter: 'shop' }, { parameter: 'id' }, { literal: 'v1.2' }]],
  ])('cuts %s', (path, segments) => {
    expect(parsePath(path)).toEqual(segments)
  })

  test.each(['', 'orders', 'orders/{id}', '//', '/orders/', '/.well-known', '/{}', '/{1a}', '/a{id}', '/*'])(
    'knows nothing of %j',
    (path) => {
      expect(parsePath(path)).toBeUndefined()
    },
  )
})

describe('parseResource()', () => {
  test.each<[string, object]>([
    ['order:{id}', { kind: 'order', literals: ['order:', ''], parameters: ['id'] }],
    ['orders:all', { kind: 'orders', literals: ['orders:all'], parameters: [] }],
    ['a.b-c_1:{x}:{y}~z', { kind: 'a.b-c_1', literals: ['a.b-c_1:', ':', '~z'], parameters: ['x', 'y'] }],
  ])('cuts %s', (template, parts) => {
    expect(parseResource(template)).toEqual(parts)
  })

  test.each([
    '',
    'order',
    'order:',
    ':{id}',
    'orders:a/b',
    'orders:*',
    'order:{id}/',
    'order: {id}',
    'order:{a}/{b}',
    'order:{id}%',
    'order:{a}{b}',
    'order:{id}:{id}',
  ])('knows nothing of %j', (template) => {
    expect(parseResource(template)).toBeUndefined()
  })
})

describe('compileAction()', () => {
  const action = { path: '/shops/{shop}/{day}/{box}/{item}', resource: 'item:{shop}-{box}.{item}' } as Action

  test('tells what the resource takes of a route, what is left of it, and what keeps values apart', () => {
    expect(compileAction(action)).toMatchObject({ carried: ['day'], separators: ['-', '.'] })
    expect(compileAction(action).segments).toHaveLength(5)
  })

  test('finds nothing in a local function', () => {
    const local = { resource: 'file:{path}' } as Action
    expect(compileAction(local)).toMatchObject({ segments: undefined, carried: [], separators: [] })
  })
})

describe('inQuery()', () => {
  test.each<[Method | undefined, boolean]>([
    ['GET', true],
    ['HEAD', true],
    ['DELETE', true],
    ['POST', false],
    ['PUT', false],
    ['PATCH', false],
    [undefined, false],
  ])('%s: %s', (method, expected) => {
    expect(inQuery(method)).toBe(expected)
  })
})
