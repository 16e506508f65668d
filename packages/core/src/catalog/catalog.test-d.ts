import { describe, expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import { Decimal, decimal, defineApi } from '../index.ts'
import type {
  ActionInput,
  ActionMap,
  ActionName,
  ActionOf,
  Api,
  ApiSet,
  ParametersIn,
  ParametersOut,
  PartsOf,
  ResourceOf,
} from '../index.ts'

const orders = defineApi({
  audience: 'https://orders.example',
  actions: {
    'refund.create': {
      route: 'POST /orders/{id}/refund',
      resource: 'order:{id}',
      risk: 'write',
      parameters: z.object({ amount: decimal(), reason: z.enum(['broken', 'late']).optional() }),
    },
    'order.read': { route: 'GET /orders/{id}', resource: 'order:{id}', risk: 'read' },
  },
})
const users = defineApi({
  audience: 'https://users.example',
  actions: {
    'user.lock': { resource: 'user:{tenant}/{id}', risk: 'critical', parameters: z.object({ until: z.string() }) },
  },
})
type Both = readonly [typeof orders, typeof users]

interface Call<S extends ApiSet, N extends ActionName<S>> {
  readonly resource: ResourceOf<ActionOf<S, N>>
  readonly parameters: ParametersIn<ActionOf<S, N>>
}
declare function ask<S extends ApiSet, N extends ActionName<S>>(set: S, action: N, call: Call<S, N>): void

describe('a catalog types', () => {
  test('names', () => {
    expectTypeOf<ActionName<typeof orders>>().toEqualTypeOf<'refund.create' | 'order.read'>()
    expectTypeOf<ActionName<Both>>().toEqualTypeOf<'refund.create' | 'order.read' | 'user.lock'>()
    expectTypeOf(orders).toExtend<Api>()
    expectTypeOf(orders.actions).toExtend<ActionMap>()
  })

  test('resources', () => {
    expectTypeOf<ResourceOf<ActionOf<typeof orders, 'refund.create'>>>().toEqualTypeOf<`order:${string}`>()
    expectTypeOf<ResourceOf<ActionOf<Both, 'user.lock'>>>().toEqualTypeOf<`user:${string}/${string}`>()
    expectTypeOf<PartsOf<ActionOf<Both, 'user.lock'>>>().toEqualTypeOf<{
      readonly tenant: string
      readonly id: string
    }>()
  })

  test('parameters, as they are sent and as they are seen', () => {
    type Refund = ActionOf<typeof orders, 'refund.create'>
    expectTypeOf<ParametersIn<Refund>>().toEqualTypeOf<{ amount: string; reason?: 'broken' | 'late' | undefined }>()
    expectTypeOf<ParametersOut<Refund>>().toEqualTypeOf<{ amount: Decimal; reason?: 'broken' | 'late' | undefined }>()
  })

  test('a call', () => {
    expectTypeOf(ask<typeof orders, 'order.read'>).toBeCallableWith(orders, 'order.read', {
      resource: 'order:1',
      parameters: {},
    })
    ask(orders, 'refund.create', { resource: 'order:123', parameters: { amount: '42.00' } })
    ask(orders, 'order.read', { resource: 'order:123', parameters: {} })
    ask([orders, users] as const, 'user.lock', { resource: 'user:a/b', parameters: { until: 'x' } })
  })

  test('not a misspelt action', () => {
    expectTypeOf<'refund.crate'>().not.toExtend<ActionName<typeof orders>>()
    // @ts-expect-error there is no such action
    ask(orders, 'refund.crate', { resource: 'order:123', parameters: { amount: '42.00' } })
    // @ts-expect-error there is no such action in either API
    ask([orders, users] as const, 'user.look', { resource: 'user:a/b', parameters: { until: 'x' } })
  })

  test('not another kind of resource', () => {
    expectTypeOf<'oder:123'>().not.toExtend<ResourceOf<ActionOf<typeof orders, 'refund.create'>>>()
    // @ts-expect-error refunds are on orders
    ask(orders, 'refund.create', { resource: 'oder:123', parameters: { amount: '42.00' } })
  })

  test('not a parameter that is misspelt, missing, of another type, or one too many', () => {
    expectTypeOf<{ amount: number }>().not.toExtend<ParametersIn<ActionOf<typeof orders, 'refund.create'>>>()
    // @ts-expect-error misspelt
    ask(orders, 'refund.create', { resource: 'order:123', parameters: { amont: '42.00' } })
    // @ts-expect-error missing
    ask(orders, 'refund.create', { resource: 'order:123', parameters: {} })
    // @ts-expect-error a number is not exact
    ask(orders, 'refund.create', { resource: 'order:123', parameters: { amount: 42 } })
    // @ts-expect-error one too many
    ask(orders, 'refund.create', { resource: 'order:123', parameters: { amount: '42.00', to: 'me' } })
    // @ts-expect-error the action has no parameters
    ask(orders, 'order.read', { resource: 'order:123', parameters: { all: true } })
    // @ts-expect-error not one of the choices
    ask(orders, 'refund.create', { resource: 'order:123', parameters: { amount: '42.00', reason: 'because' } })
  })

  test('not a member of an action that does not exist', () => {
    const define = <const A extends Readonly<Record<string, ActionInput>>>(actions: A) => actions
    const one = { resource: 'a:{id}', risk: 'read' } as const
    expectTypeOf(defineApi({ audience: 'https://a.example', actions: { one } })).toExtend<Api>()
    // @ts-expect-error 'paramters' is no member
    defineApi({ audience: 'https://a.example', actions: { one: { ...one, paramters: z.object({}) } } })
    // @ts-expect-error 'none' is no risk
    define({ one: { ...one, risk: 'none' } })
    // @ts-expect-error a route begins with a method
    define({ one: { ...one, route: '/a/{id}' } })
    // @ts-expect-error parameters are an object
    define({ one: { ...one, parameters: z.string() } })
  })
})

describe('Decimal', () => {
  test('does not compare with text or numbers by operators', () => {
    const amount = Decimal.of('1')
    expectTypeOf(amount.lte('50.00')).toEqualTypeOf<boolean>()
    // @ts-expect-error use lte
    void (amount <= '50.00')
    // @ts-expect-error use gt
    void (amount > 50)
    // @ts-expect-error use add
    void (amount + 1)
    // @ts-expect-error use eq
    void (amount === '1')
  })
})
