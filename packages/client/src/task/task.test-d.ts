import { decimal, defineApi } from '@hallpass/core'
import { describe, expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import type { Client } from '../client/client.ts'
import { createClient } from '../client/create-client.ts'
import type { Refusal } from '../outcome/refusal.ts'
import type { Task, TaskRefused } from './task.ts'

const orders = defineApi({
  audience: 'https://orders.example',
  actions: {
    'order.read': { route: 'GET /orders/{id}', resource: 'order:{id}', risk: 'read' },
    'order.list': {
      route: 'GET /shops/{shop}/orders',
      resource: 'shop:{shop}',
      risk: 'read',
      parameters: z.object({ page: z.string().optional() }),
    },
    'refund.create': {
      route: 'POST /orders/{id}/refund',
      resource: 'order:{id}',
      risk: 'write',
      parameters: z.object({ amount: decimal(), note: z.string().optional() }),
    },
  },
})
const stock = defineApi({
  audience: 'https://stock.example',
  actions: { 'stock.read': { route: 'GET /stock/{sku}', resource: 'stock:{sku}', risk: 'read' } },
})
const identity = { type: 'jwt-bearer', clientId: 'support-bot', assertion: async () => 'a.b.c' } as const

const create = () =>
  createClient({ issuer: 'https://broker.example', identity, api: [orders, stock], purposes: ['support-ticket'] })
declare const client: ReturnType<typeof create>
declare const task: Task<readonly [typeof orders, typeof stock]>

describe('task.call()', () => {
  test('is typed by the catalog', () => {
    void task.call('refund.create', { resource: 'order:123', parameters: { amount: '42.00' } })
    void task.call('order.read', { resource: 'order:123' })
    void task.call('order.list', { resource: 'shop:1' })
    void task.call('order.list', { resource: 'shop:1', parameters: { page: '2' } })
    void task.call('stock.read', { resource: 'stock:mug', callId: 'call-1' })
    // @ts-expect-error there is no such action
    void task.call('refund.creat', { resource: 'order:123', parameters: { amount: '42.00' } })
    // @ts-expect-error another kind of resource
    void task.call('refund.create', { resource: 'user:123', parameters: { amount: '42.00' } })
    // @ts-expect-error a misspelt parameter
    void task.call('refund.create', { resource: 'order:123', parameters: { amont: '42.00' } })
    // @ts-expect-error a decimal is text
    void task.call('refund.create', { resource: 'order:123', parameters: { amount: 42 } })
    // @ts-expect-error the parameters are missing
    void task.call('refund.create', { resource: 'order:123' })
    // @ts-expect-error an action without parameters
    void task.call('order.read', { resource: 'order:123', parameters: { page: '2' } })
    expectTypeOf(task).toHaveProperty('call')
  })

  test('gives nothing of a response before ok is looked at', async () => {
    const outcome = await task.call('order.read', { resource: 'order:1' })
    // @ts-expect-error it may be a refusal
    void outcome.response
    expectTypeOf(outcome.ok).toEqualTypeOf<boolean>()
  })
})

describe('client.task()', () => {
  test('knows the purposes it was given', () => {
    void client.task({ purpose: 'support-ticket' }, async () => true)
    // @ts-expect-error a misspelt purpose
    void client.task({ purpose: 'support-tickets' }, async () => true)
    expectTypeOf<Client>().toHaveProperty('task')
  })

  test('returns what its work returns, or a refusal', async () => {
    const value = await client.task({ purpose: 'support-ticket' }, async () => new Date())
    expectTypeOf(value).toEqualTypeOf<Date | Refusal>()
  })

  test('wants its work to return something, so that a refusal is looked at', () => {
    // @ts-expect-error nothing is returned
    void client.task({ purpose: 'support-ticket' }, async () => {})
    // @ts-expect-error nothing is returned
    void client.task({ purpose: 'support-ticket' }, async () => undefined)
    expectTypeOf(client).toHaveProperty('task')
  })
})

describe('client.openTask()', () => {
  test('gives no call before ok is looked at', async () => {
    const opened = await client.openTask({ purpose: 'support-ticket' })
    // @ts-expect-error it may be refused
    void opened.call
    if (opened.ok) expectTypeOf(opened).toHaveProperty('call')
    else expectTypeOf(opened).toEqualTypeOf<TaskRefused>()
  })
})
