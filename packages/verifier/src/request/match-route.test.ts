import { expect, test } from 'vitest'
import { matchRoute, parseTemplate } from './match-route.ts'

const template = parseTemplate('/orders/{id}/items/{item}')

test('matchRoute() decodes each segment once', () => {
  const matched = matchRoute(template, '/orders/a%20b/items/%2525')
  expect(matched.ok && { ...matched.value }).toEqual({ id: 'a b', item: '%25' })
})

test('matchRoute() keeps an encoded slash inside its segment', () => {
  const matched = matchRoute(template, '/orders/a%2Fb/items/c')
  expect(matched.ok && matched.value['id']).toBe('a/b')
})

test('matchRoute() reads an empty segment as one: no part of a resource is empty, whoever asks', () => {
  const matched = matchRoute(template, '/orders//items/')
  expect(matched.ok && { ...matched.value }).toEqual({ id: '', item: '' })
})

test.each(['/orders/1/items', '/orders/1/items/2/', '/orders/1/items/2/3', '/Orders/1/items/2', '/', ''])(
  'matchRoute() refuses the path %j',
  (path) => {
    expect(matchRoute(template, path)).toMatchObject({ ok: false, reason: 'action-mismatch' })
  },
)

test('matchRoute() refuses a broken escape', () => {
  expect(matchRoute(template, '/orders/%zz/items/1')).toMatchObject({ ok: false, reason: 'request-malformed' })
})
