import { expect, test } from 'vitest'
import type { PlannedAction } from '../call/planned-action.ts'
import { isSameCall } from './bare-call.ts'

const planned = { name: 'order.read' } as PlannedAction
const bare = {
  planned,
  method: 'GET',
  target: '/orders/123',
  route: { id: '123' },
  url: 'https://orders.example/orders/123',
  resource: 'order:123',
  mount: undefined,
  refusal: undefined,
  parts: { id: '123' },
  facts: undefined,
}
const call = { method: 'GET', target: '/orders/123', route: { id: '123' } }

test('isSameCall() knows the very same call', () => {
  expect(isSameCall(bare, { planned, call })).toBe(true)
  expect(isSameCall({ ...bare, route: undefined }, { planned, call: { method: 'GET', target: '/orders/123' } })).toBe(
    true,
  )
})

test.each([
  { name: 'another target', call: { ...call, target: '/orders/124' } },
  { name: 'another method', call: { ...call, method: 'HEAD' } },
  { name: 'the same target routed to another order', call: { ...call, route: { id: '124' } } },
  { name: 'a route parameter more', call: { ...call, route: { id: '123', tenant: 'a' } } },
  { name: 'a route parameter less', call: { ...call, route: {} } },
  { name: 'another mount', call: { ...call, mount: '/v1' } },
  { name: 'no router', call: { method: 'GET', target: '/orders/123' } },
])('isSameCall() tells $name apart', ({ call: other }) => {
  expect(isSameCall(bare, { planned, call: other })).toBe(false)
})

test('isSameCall() tells another action on the same route apart', () => {
  expect(isSameCall(bare, { planned: { ...planned }, call })).toBe(false)
})

test.each([
  { name: 'a router where there was none', route: undefined, asked: { id: '123' } },
  { name: 'a router that read nothing where there was none', route: undefined, asked: {} },
  { name: 'none where a router had read nothing', route: {}, asked: undefined },
])('isSameCall() tells $name apart', ({ route, asked }) => {
  const { route: _, ...bareOfRoute } = call
  const other = asked === undefined ? bareOfRoute : { ...call, route: asked }
  expect(isSameCall({ ...bare, route }, { planned, call: other })).toBe(false)
})
