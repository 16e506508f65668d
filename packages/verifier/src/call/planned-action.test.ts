import { defineApi } from '@hallpass/core'
import { describe, expect, test } from 'vitest'
import { orders } from '../../test/test-api.ts'
import { AUDIENCE } from '../../test/test-issuer.ts'
import { planAction } from './planned-action.ts'

const nested = defineApi({
  audience: AUDIENCE,
  actions: {
    'seat.book': { route: 'PUT /halls/{hall}/seats/{seat}', resource: 'seat:{hall}-{seat}', risk: 'write' },
  },
})

describe('planAction()', () => {
  test('plans an action of a route', () => {
    const plan = planAction(orders, 'item.update')
    expect(plan).toMatchObject({
      name: 'item.update',
      audience: AUDIENCE,
      method: 'PATCH',
      template: ['', 'orders', { name: 'id' }, 'items', { name: 'item' }],
      partNames: ['id'],
      takesNothing: false,
    })
  })

  test('plans an action without a route, and one without parameters', () => {
    expect(planAction(orders, 'invoice.render')).toMatchObject({
      method: 'POST',
      template: undefined,
      partNames: ['id'],
    })
    expect(planAction(orders, 'order.read').takesNothing).toBe(true)
  })

  test('names every part of a resource in order', () => {
    expect(planAction(nested, 'seat.book').partNames).toEqual(['hall', 'seat'])
  })

  test.each(['', 'order', 'order.raed', '__proto__', 'constructor', 'toString'])('refuses the action %j', (name) => {
    expect(() => planAction(orders, name)).toThrow(expect.objectContaining({ code: 'configuration-invalid' }))
  })
})
