import { describe, expect, test } from 'vitest'
import { parseRedeemCalls } from './parse-redeem.ts'

const request = {
  attempt: 'a1',
  audience: 'https://orders.test',
  issuer: 'https://broker.test',
  jti: 'gr_1',
  txn: 'tsk_1',
  clientId: 'bot',
  iat: 1,
  exp: 2,
  action: 'a',
  resource: 'order:1',
  source: 'signed',
  limits: [{ id: 'calls', per: 'grant', max: 1_000_000 }],
  amounts: { amount: 5 },
  proof: { jkt: 'k', jti: 'p', iat: 1, acceptUntil: 60 },
  idempotency: { key: 'k', digest: 'd' },
  event: 'ev_aaaaaaaaaaaaaaaaaaaaaa',
}
const redeem = (change: object = {}) => ({ calls: [{ op: 'redeem', request: { ...request, ...change } }] }) as never

describe('parseRedeemCalls()', () => {
  test('parseRedeemCalls() reads a batch and takes limits and source from nobody', () => {
    expect(parseRedeemCalls(redeem())).toMatchObject({
      ok: true,
      value: [{ op: 'redeem', request: { source: 'registered', limits: [], amounts: { amount: 5 } } }],
    })
  })

  test('parseRedeemCalls() reads outcomes and give-backs', () => {
    const calls = [
      { op: 'settle', reservation: 'res_1', outcome: { status: 200, contentType: 'application/json', body: '' } },
      { op: 'give_back', reservation: 'res_1', reason: 'out of stock' },
    ]
    expect(parseRedeemCalls({ calls } as never)).toEqual({ ok: true, value: calls })
  })

  test.each([
    ['a list', []],
    ['no calls', {}],
    ['another member', { calls: [], more: 1 }],
    [
      'too many calls',
      { calls: Array.from({ length: 1001 }, () => ({ op: 'give_back', reservation: 'r', reason: 'x' })) },
    ],
    ['an unknown operation', { calls: [{ op: 'revoke' }] }],
    ['an unknown member in a request', redeem({ admin: true })],
    ['a missing member', redeem({ jti: undefined })],
    ['an empty text', redeem({ txn: '' })],
    ['a text without end', redeem({ attempt: 'x'.repeat(5000) })],
    ['a time that is text', redeem({ iat: '1' })],
    ['a negative amount', redeem({ amounts: { amount: -1 } })],
    ['a fraction', redeem({ amounts: { amount: 0.5 } })],
    ['an amount beyond all integers', redeem({ amounts: { amount: 2 ** 53 } })],
    ['an amount that is text', redeem({ amounts: { amount: '5' } })],
    ['amounts as a list', redeem({ amounts: [5] })],
    ['a proof with too much', redeem({ proof: { ...request.proof, x: 1 } })],
    ['a proof with too little', redeem({ proof: { jkt: 'k' } })],
    ['an idempotency key alone', redeem({ idempotency: { key: 'k' } })],
    ['an event id that is none', redeem({ event: 'x' })],
    ['an event id that is no text', redeem({ event: ['ev_aaaaaaaaaaaa'] })],
    ['an outcome without status', { calls: [{ op: 'settle', reservation: 'r', outcome: {} }] }],
    ['an outcome with more', { calls: [{ op: 'settle', reservation: 'r', outcome: { status: 200, secret: 1 } }] }],
    ['a give-back without reason', { calls: [{ op: 'give_back', reservation: 'r' }] }],
  ])('parseRedeemCalls() refuses %s', (_name, value) => {
    expect(parseRedeemCalls(JSON.parse(JSON.stringify(value)))).toMatchObject({ ok: false, reason: 'request-invalid' })
  })
})
