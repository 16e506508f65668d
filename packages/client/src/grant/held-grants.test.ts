import type { Limit } from '@hallpass/core'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { HeldGrant } from './held-grant.ts'
import { createHeldGrants } from './held-grants.ts'

const ask = {
  audience: 'https://orders.test',
  action: 'refund.create',
  resource: 'order:1',
  parameters: { amount: '10.00' },
  callId: 'call-1',
}

function grant(limits: readonly Limit[], useUntil = 100): HeldGrant {
  const entry = {
    type: 'urn:hallpass:tool-call',
    locations: ['https://orders.test'],
    actions: ['refund.create'],
    identifier: 'order:*',
    constraints: { amount: { max: '50.00' } },
    limits,
  } as const
  const answer = { token: 'a.b.c', entry, expiresAt: useUntil, lifeSeconds: 60 }
  return new HeldGrant({ txn: 'tsk_1', callId: 'call-1' }, answer, { useUntil, expiresAt: useUntil })
}

const calls = (max: number): Limit => ({ id: 'calls', per: 'grant', max })
const total = (max: number): Limit => ({ id: 'total', per: 'grant', max, parameter: 'amount', scale: 2 })

describe('HeldGrant', () => {
  test('take() never gives more uses or amounts than the limits hold', () => {
    const amounts = fc.array(fc.integer({ min: 0, max: 5000 }), { maxLength: 40 })
    fc.assert(
      fc.property(amounts, fc.nat(10), fc.nat(20_000), (units, mostCalls, mostTotal) => {
        const held = grant([calls(mostCalls), total(mostTotal)])
        const taken = units.filter((unit) => held.take({ amount: (unit / 100).toFixed(2) }))
        expect(taken.length).toBeLessThanOrEqual(mostCalls)
        expect(taken.reduce((sum, unit) => sum + unit, 0)).toBeLessThanOrEqual(mostTotal)
      }),
    )
  })

  test.each([[{}], [{ amount: 'much' }], [{ amount: '-1.00' }], [{ amount: 10 }]])(
    'take() gives nothing where a total cannot be counted: %j',
    (parameters) => {
      expect(grant([total(1000)]).take(parameters)).toBe(false)
    },
  )

  test('take() leaves counters of task and agent to the ledger', () => {
    const held = grant([calls(2), { id: 'calls', per: 'task', max: 0 }])
    expect([held.take({}), held.take({}), held.take({})]).toEqual([true, true, false])
  })

  test('credential() is gone at its end and after drop()', () => {
    const held = grant([calls(2)], 100)
    expect(held.credential(99.9)).toMatchObject({ token: 'a.b.c' })
    expect(held.credential(100)).toBeUndefined()
    held.drop()
    expect(held.credential(0)).toBeUndefined()
    expect(held.callsLeft()).toBe(0)
  })
})

describe('createHeldGrants()', () => {
  const added = (held: HeldGrant, reusable = true) => {
    const grants = createHeldGrants()
    grants.add(held, { now: 0, reusable })
    return grants
  }

  test('release() forgets the token of a grant that is spent, once nobody may send it again', () => {
    const held = grant([calls(2)])
    const grants = added(held)
    const first = grants.take(ask, 0)
    const second = grants.take(ask, 0)
    expect([first, second]).toEqual([held, held])
    grants.release(held)
    expect(held.credential(0)).toBeDefined()
    grants.release(held)
    expect(held.credential(0)).toBeUndefined()
  })

  test('take() offers nothing that expired, was dropped, is not reusable or is for something else', () => {
    expect(added(grant([calls(1)], 10)).take(ask, 10)).toBeUndefined()
    expect(added(grant([calls(1)]), false).take(ask, 0)).toBeUndefined()
    expect(added(grant([calls(1)])).take({ ...ask, action: 'order.read' }, 0)).toBeUndefined()
    expect(added(grant([calls(1)])).take({ ...ask, parameters: { amount: '50.01' } }, 0)).toBeUndefined()
    const held = grant([calls(1)])
    const grants = added(held)
    grants.drop(held)
    expect(grants.take(ask, 0)).toBeUndefined()
  })

  test('take() gives the same use to a call that was not answered, and to no other', () => {
    const held = grant([calls(1)])
    const grants = added(held)
    grants.take(ask, 0)
    grants.release(held, { callId: 'call-1' })
    expect(grants.take({ ...ask, callId: 'call-2' }, 0)).toBeUndefined()
    expect(grants.take({ ...ask, resource: 'order:2', parameters: { amount: '60.00' } }, 0)).toBeUndefined()
    expect(grants.take(ask, 0)).toBe(held)
    grants.release(held)
    expect(held.credential(0)).toBeUndefined()
    expect(grants.take(ask, 0)).toBeUndefined()
  })

  test('clear() forgets every token, those in flight too', () => {
    const [one, other] = [grant([calls(1)]), grant([calls(5)])]
    const grants = added(one)
    grants.add(other, { now: 0, reusable: false })
    grants.take(ask, 0)
    grants.clear()
    expect([one.credential(0), other.credential(0)]).toEqual([undefined, undefined])
  })

  test('add() looks for expired grants when there are many', () => {
    const grants = createHeldGrants()
    const old = Array.from({ length: 600 }, () => grant([calls(1)], 10))
    for (const held of old) grants.add(held, { now: 0, reusable: false })
    grants.add(grant([calls(1)], 100), { now: 50, reusable: true })
    grants.clear()
    expect(old.every((held) => held.callsLeft() === 0)).toBe(true)
  })
})
