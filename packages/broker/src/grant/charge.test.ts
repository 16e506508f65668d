import * as fc from 'fast-check'
import { amountsFor, covers, type Limit, type ToolCallEntry } from '@hallpass/core'
import { describe, expect, test } from 'vitest'
import { keyPair } from '../../test/holder.ts'
import { identityOf, ORDERS, orders, rig, stock, STOCK } from '../../test/rig.ts'
import { splitLimits } from './charge.ts'

const calls: Limit = { id: 'calls', per: 'grant', max: 3 }
const perTask: Limit = { id: 'total', per: 'task', max: 10_000, parameter: 'amount', scale: 2 }
const perAgent: Limit = { id: 'day', per: 'agent', max: 5, window_seconds: 86_400 }

describe('splitLimits()', () => {
  test('splitLimits() charges exactly what a digest fixes, for every use', () => {
    expect(splitLimits([calls, perTask, perAgent], {}, { amount: '42.00' })).toEqual({
      ok: true,
      value: { limits: [calls], chargeAtIssue: { limits: [perTask, perAgent], amounts: { amount: 4200 }, uses: 3 } },
    })
  })

  test.each([
    ['a maximum', { max: '50.00' }, 5000],
    ['a value', { equals: '1.50' }, 150],
    ['the largest choice', { one_of: ['1.00', '9.99'] }, 999],
  ])('splitLimits() charges the worst that %s allows', (_name, constraint, amount) => {
    expect(splitLimits([calls, perTask], { constraints: { amount: constraint } }, {})).toMatchObject({
      value: { chargeAtIssue: { amounts: { amount } } },
    })
  })

  test.each([
    ['anything', { any: true as const }],
    ['a minimum alone', { min: '1.00' }],
    ['a number', { equals: 5 }],
    ['choices of which one is no amount', { one_of: ['1.00', 'much'] }],
    ['more digits than the scale', { max: '1.005' }],
  ])('splitLimits() refuses constraints that allow %s', (_name, constraint) => {
    expect(splitLimits([calls, perTask], { constraints: { amount: constraint } }, {})).toMatchObject({
      ok: false,
      reason: 'amount-invalid',
    })
  })

  test('splitLimits() refuses a grant without a number of uses, and an amount that is missing', () => {
    expect(splitLimits([perTask], {}, { amount: '1.00' })).toMatchObject({ ok: false })
    expect(splitLimits([calls, perTask], {}, {})).toMatchObject({ ok: false, reason: 'amount-invalid' })
  })

  test('splitLimits() charges at least what any call under the constraints could add', () => {
    const cents = fc.integer({ min: 0, max: 20_000 }).map((units) => (units / 100).toFixed(2))
    fc.assert(
      fc.property(cents, cents, fc.boolean(), (most, amount, isChoice) => {
        const constraints = { amount: isChoice ? { one_of: [most, '1.00'] } : { max: most } }
        const entry = {
          type: 'urn:hallpass:tool-call',
          locations: [ORDERS],
          actions: ['a'],
          identifier: 'order:1',
          limits: [],
          constraints,
        } as ToolCallEntry
        fc.pre(covers(entry, { audience: ORDERS, action: 'a', resource: 'order:1', parameters: { amount } }).ok)
        const split = splitLimits([calls, perTask], { constraints }, {})
        const spent = amountsFor([perTask], { amount })
        const charged = split.ok ? split.value.chargeAtIssue?.amounts['amount'] : -1
        expect(charged).toBeGreaterThanOrEqual(spent.ok ? (spent.value['amount'] ?? Infinity) : Infinity)
      }),
    )
  })
})

describe('createBroker({ apis: [{ ledger: "own" }] })', () => {
  const ownLedger = {
    apis: [
      { id: 'orders-api', api: orders, identity: identityOf('orders-api'), ledger: 'own' as const },
      { id: 'stock-api', api: stock, identity: identityOf('stock-api'), ledger: 'own' as const },
    ],
  }
  const reserve = {
    actions: ['stock.reserve'],
    locations: [STOCK],
    identifier: 'stock:mug',
    parameters: { quantity: '1' },
  }

  test('createBroker() puts only the grant’s own limits into the token and stops at the total when it issues', async () => {
    const { open, exchange, events } = rig(ownLedger)
    const pair = keyPair()
    const { body } = await open(pair)
    const grant = await exchange(pair, body.access_token)
    expect(grant.body['authorization_details']).toMatchObject([{ limits: [{ id: 'calls', per: 'grant', max: 1 }] }])
    expect(await exchange(pair, body.access_token)).toMatchObject({
      status: 400,
      body: { error: 'access_denied', reason: 'limit-exceeded' },
    })
    expect(await events('grant.issued')).toMatchObject([
      { data: { charged_at_issue: { amounts: { amount: 4200 }, uses: 1 } } },
    ])
  })

  test('createBroker() charges constrained grants at their worst', async () => {
    const { open, post, callForm } = rig(ownLedger)
    const pair = keyPair()
    const { body } = await open(pair)
    const ask = () => post('/token', { ...callForm(body.access_token, reserve), resource: STOCK }, pair)
    // Two uses of at most 3 each, of 10 in all: one grant fits, two do not.
    expect((await ask()).status).toBe(200)
    expect(await ask()).toMatchObject({ status: 400, body: { reason: 'limit-exceeded' } })
  })

  test('createBroker() takes no redeems for an API that counts by itself', async () => {
    const { caller } = rig(ownLedger)
    const { json } = await caller('orders-api')
    const request = {
      attempt: 'a',
      audience: ORDERS,
      issuer: 'https://broker.test',
      jti: 'gr_x',
      txn: 't',
      clientId: 'c',
      iat: 1,
      exp: 2,
      action: 'a',
      resource: 'r',
      source: 'signed',
      limits: [],
      amounts: {},
      event: 'ev_aaaaaaaaaaaa',
    }
    const { body } = await json('/redeem', { calls: [{ op: 'redeem', request }] })
    expect(body['answers']).toEqual([{ ok: false, reason: 'caller-not-allowed' }])
  })
})
