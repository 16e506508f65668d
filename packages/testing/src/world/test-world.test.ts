import { decimal, defineApi } from '@hallpass/core'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { testWorld } from './test-world.ts'

const orders = defineApi({
  audience: 'https://orders.test',
  actions: {
    'order.read': { route: 'GET /orders/{id}', resource: 'order:{id}', risk: 'read' },
    'refund.create': {
      route: 'POST /orders/{id}/refund',
      resource: 'order:{id}',
      risk: 'write',
      parameters: z.object({ amount: decimal() }),
    },
  },
})

describe('testWorld()', () => {
  test('testWorld() runs a call from the client to a handler and into the trail', async () => {
    const world = testWorld({ api: orders })
    const outcome = await world
      .client()
      .task({ purpose: 'test' }, (task) =>
        task.call('refund.create', { resource: 'order:123', parameters: { amount: '42.00' } }),
      )
    expect(outcome).toMatchObject({ ok: true })
    expect(world.handled.map(({ action, resource }) => [action, resource])).toEqual([['refund.create', 'order:123']])
    expect((await world.events()).map(({ type }) => type)).toEqual([
      'broker.started',
      'policy.loaded',
      'task.opened',
      'grant.issued',
      'use.started',
      'use.ended',
      'task.ended',
      'grant.revoked',
    ])
  })
})
