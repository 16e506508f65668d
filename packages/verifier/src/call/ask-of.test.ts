import type { JsonValue } from '@hallpass/core'
import { describe, expect, test } from 'vitest'
import { orders } from '../../test/test-api.ts'
import type { AskInput } from './ask-of.ts'
import { askOf } from './ask-of.ts'
import { planAction } from './planned-action.ts'

const input: AskInput = { method: 'GET', path: '/orders/123', query: '', route: undefined, body: undefined }

const ask = (action: string, more: Partial<AskInput> = {}) => {
  const asked = askOf(planAction(orders, action), { ...input, ...more })
  return asked.ok ? asked.value : asked.reason
}
const update = { method: 'PATCH', path: '/orders/123/items/a', body: { quantity: 2 } }
const local = (body: JsonValue | undefined) => ask('invoice.render', { method: 'POST', path: '', body })

describe('askOf()', () => {
  test.each<{ name: string; more: Partial<AskInput> }>([
    { name: 'by the path', more: {} },
    { name: "by a router's values, where they are the path's", more: { route: { id: '123' } } },
    { name: 'below a mount', more: { path: '/v1/orders/123', mount: '/v1' } },
    { name: 'beside a mount that the door took off', more: { mount: '/v1' } },
  ])('says what is asked for $name', ({ more }) => {
    expect(ask('order.read', more)).toEqual({ resource: 'order:123', parts: { id: '123' }, parameters: {} })
  })

  test.each<{ name: string; more: Partial<AskInput>; reason: string }>([
    { name: 'another method', more: { method: 'HEAD' }, reason: 'action-mismatch' },
    { name: 'another path', more: { path: '/orders/123/x' }, reason: 'action-mismatch' },
    { name: 'a mount that nobody declared', more: { path: '/v1/orders/123' }, reason: 'action-mismatch' },
    { name: 'another mount', more: { path: '/v2/orders/123', mount: '/v1' }, reason: 'action-mismatch' },
    { name: 'a mount twice', more: { path: '/v1/v1/orders/123', mount: '/v1' }, reason: 'action-mismatch' },
    {
      name: 'a path that only begins like the mount',
      more: { path: '/v1orders/123', mount: '/v1' },
      reason: 'action-mismatch',
    },
    { name: 'a router that read another id', more: { route: { id: '124' } }, reason: 'request-malformed' },
    {
      name: 'a parameter that only the router has',
      more: { route: { id: '123', tenant: 'x' } },
      reason: 'parameters-invalid',
    },
    { name: 'a router that read no id', more: { route: {} }, reason: 'request-malformed' },
    { name: 'an id that is no part of a resource', more: { path: '/orders/a%2Fb' }, reason: 'request-malformed' },
    { name: 'a query the action does not know', more: { query: 'a=b' }, reason: 'parameters-invalid' },
    { name: 'a body the action does not know', more: { body: { a: 1 } }, reason: 'parameters-invalid' },
  ])('refuses $name', ({ more, reason }) => {
    expect(ask('order.read', more)).toBe(reason)
  })

  test('takes parameters from body and path, and only the parts of the resource as parts', () => {
    expect(ask('item.update', update)).toEqual({
      resource: 'order:123',
      parts: { id: '123' },
      parameters: { item: 'a', quantity: 2 },
    })
  })

  test('refuses a router that read one of two values another way', () => {
    expect(ask('item.update', { ...update, route: { id: '123', item: 'b' } })).toBe('request-malformed')
  })

  test('says what a local call asks for', () => {
    expect(local({ resource: 'invoice:7', parameters: { format: 'pdf' } })).toEqual({
      resource: 'invoice:7',
      parts: { id: '7' },
      parameters: { format: 'pdf' },
    })
  })

  test.each<[string, JsonValue | undefined]>([
    ['nothing', undefined],
    ['null', null],
    ['text', 'invoice:7'],
    ['an array', ['invoice:7', {}]],
    ['no resource', { parameters: {} }],
    ['no parameters', { resource: 'invoice:7' }],
    ['a member more', { resource: 'invoice:7', parameters: {}, more: 1 }],
    ['another member in place of the parameters', { resource: 'invoice:7', more: {} }],
    ['a resource that is no text', { resource: 7, parameters: {} }],
    ['parameters that are an array', { resource: 'invoice:7', parameters: [] }],
    ['parameters that are nothing', { resource: 'invoice:7', parameters: null }],
    ['parameters that are text', { resource: 'invoice:7', parameters: 'x' }],
  ])('refuses a local call of %s', (_name, body) => {
    expect(local(body)).toBe('request-malformed')
  })

  test.each(['order:7', 'invoice:', 'invoice:*', 'invoice:7/8', 'invoice'])(
    'refuses a local call on the resource %j, which the action does not name',
    (resource) => {
      expect(local({ resource, parameters: {} })).toBe('resource-mismatch')
    },
  )

  test('refuses a local call by another method', () => {
    expect(ask('invoice.render', { path: '', body: { resource: 'invoice:7', parameters: { format: 'pdf' } } })).toBe(
      'action-mismatch',
    )
  })
})
