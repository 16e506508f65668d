import { memoryTrail, type Ledger, type RedeemAnswer } from '@hallpass/core'
import { describe, expect, test, vi } from 'vitest'
import { keyPair } from '../../test/holder.ts'
import { claimsOf, ORDERS, redeemRequest, rig, STOCK } from '../../test/rig.ts'

async function apiRig(options: Parameters<typeof rig>[0] = {}) {
  const made = rig(options)
  const pair = keyPair()
  const task = (await made.open(pair)).body
  const grant = (await made.exchange(pair, task.access_token)).body.access_token
  const api = await made.caller('orders-api')
  const redeem = (change: object = {}, attempt = 'a') => ({
    op: 'redeem',
    request: { ...redeemRequest(grant, { pair, attempt }), ...change },
  })
  const send = async (...calls: object[]) => {
    const { status, body } = await api.json('/redeem', { calls })
    return { status, body, answers: body['answers'] as (RedeemAnswer & { reservation: string; released?: boolean })[] }
  }
  return { ...made, pair, task, grant, api, redeem, send }
}

describe('redeemEndpoint()', () => {
  test('redeemEndpoint() spends a grant once, with the use on record under the id the verifier chose', async () => {
    const { send, redeem, grant, events } = await apiRig()
    const first = redeem()
    const { answers } = await send(first)
    expect(answers).toMatchObject([{ ok: true, state: 'first', usesLeft: 0 }])
    expect(await events('use.started')).toMatchObject([
      {
        id: (first.request as { event: string }).event,
        jti: claimsOf(grant).jti,
        aud: ORDERS,
        source: `verifier:${ORDERS}`,
        data: { reservation: answers[0]?.reservation },
      },
    ])
    expect((await send(redeem({}, 'b'))).answers).toMatchObject([{ ok: false, reason: 'grant-exhausted' }])
  })

  test('redeemEndpoint() answers in the order of its batch', async () => {
    const { send, redeem } = await apiRig()
    const { answers } = await send(
      { op: 'give_back', reservation: 'res_unknown', reason: 'x' },
      redeem(),
      redeem({}, 'b'),
      redeem({ jti: 'gr_x' }, 'c'),
    )
    expect(answers).toMatchObject([
      { ok: true, released: false },
      { state: 'first' },
      { reason: 'grant-exhausted' },
      { reason: 'grant-unknown' },
    ])
  })

  test('redeemEndpoint() lets one of many racing for the last use win', async () => {
    const { send, redeem } = await apiRig()
    const all = await Promise.all(Array.from({ length: 30 }, (_, index) => send(redeem({}, `attempt-${index}`))))
    expect(all.filter(({ answers }) => answers[0]?.ok)).toHaveLength(1)
  })

  test('redeemEndpoint() gives a resent attempt the same answer and one event', async () => {
    const { send, redeem, events } = await apiRig()
    const one = await send(redeem())
    const again = await send(redeem())
    expect(again.answers).toEqual(one.answers)
    expect(await events('use.started')).toHaveLength(1)
  })

  test('redeemEndpoint() tells outcome and give-back as of the use they end', async () => {
    const { send, redeem, events, exchange, pair, task } = await apiRig()
    const [use] = (await send(redeem())).answers
    await send({ op: 'settle', reservation: use?.reservation, outcome: { status: 201 } })
    const other = (await exchange(pair, task.access_token, { actions: ['order.read'], parameters: {} })).body
      .access_token
    const [read] = (await send({ op: 'redeem', request: redeemRequest(other, { pair, attempt: 'read', amounts: {} }) }))
      .answers
    const back = await send({ op: 'give_back', reservation: read?.reservation, reason: 'not found' })
    expect(back.answers).toEqual([{ ok: true, released: true }])
    const [started, startedRead] = await events('use.started')
    expect(await events('use.ended')).toMatchObject([
      { follows: started?.id, status: 201, action: 'refund.create', jti: started?.jti },
    ])
    expect(await events('use.given-back')).toMatchObject([{ follows: startedRead?.id, detail: 'not found' }])
  })

  test.each([
    ['another audience', { audience: STOCK }, 'caller-not-allowed'],
    ['another issuer', { issuer: 'https://evil.test' }, 'issuer-unknown'],
  ])('redeemEndpoint() refuses a redeem for %s', async (_name, change, reason) => {
    const { send, redeem, events } = await apiRig()
    expect((await send(redeem(change))).answers).toEqual([{ ok: false, reason }])
    expect(await events('use.started')).toEqual([])
  })

  test('redeemEndpoint() counts by what was registered, whatever limits the caller sends', async () => {
    const { send, redeem } = await apiRig()
    const limits = [{ id: 'calls', per: 'grant', max: 1000 }]
    await send(redeem({ source: 'signed', limits }))
    expect((await send(redeem({ source: 'signed', limits }, 'b'))).answers).toMatchObject([
      { reason: 'grant-exhausted' },
    ])
  })

  test('redeemEndpoint() gives a use back that the trail did not take', async () => {
    const trail = memoryTrail()
    let isFull = false
    const audit = {
      ...trail,
      append: (event: Parameters<typeof trail.append>[0]) =>
        isFull && event.type === 'use.started' ? Promise.reject(new Error('full')) : trail.append(event),
    }
    const { send, redeem } = await apiRig({ audit })
    isFull = true
    expect((await send(redeem())).answers).toEqual([{ ok: false, reason: 'audit-unavailable' }])
    isFull = false
    expect((await send(redeem({}, 'b'))).answers).toMatchObject([{ ok: true, state: 'first' }])
  })

  test('redeemEndpoint() gives no use back that another broker may have answered', async () => {
    const trail = memoryTrail()
    const disk: { fail?: (why: Error) => void } = {}
    const audit = {
      ...trail,
      append: (event: Parameters<typeof trail.append>[0]) =>
        event.type === 'use.started'
          ? new Promise<void>((_resolve, reject) => (disk.fail = reject))
          : trail.append(event),
    }
    const wrapLedger = (ledger: Ledger): Ledger => ({ ...ledger, exactFor: 'all-replicas' })
    const one = await apiRig({ audit, wrapLedger })
    const other = await rig({ ledger: one.ledger }).caller('orders-api')
    const slow = one.send(one.redeem())
    await vi.waitUntil(() => disk.fail)
    // The answer took too long, and the verifier asked again.
    const sentAgain = await other.json('/redeem', { calls: [one.redeem()] })
    expect(sentAgain.body['answers']).toMatchObject([{ ok: true, state: 'first' }])
    disk.fail?.(new Error('disk'))
    expect((await slow).answers).toEqual([{ ok: false, reason: 'audit-unavailable' }])
    const more = await other.json('/redeem', { calls: [one.redeem({}, 'b')] })
    expect(more.body['answers']).toMatchObject([{ ok: false, reason: 'grant-exhausted' }])
  })

  test('redeemEndpoint() tells a ledger that outlives it of no outcome that is not on disk', async () => {
    const trail = memoryTrail()
    let isFull = false
    const audit = { ...trail, flush: () => (isFull ? Promise.reject(new Error('disk')) : trail.flush()) }
    const wrapLedger = (ledger: Ledger): Ledger => ({ ...ledger, exactFor: 'all-replicas' })
    const { send, redeem, ledger, events } = await apiRig({ audit, wrapLedger })
    const [use] = (await send(redeem())).answers
    const reservation = use?.reservation ?? ''
    isFull = true
    expect((await send({ op: 'settle', reservation, outcome: { status: 200 } })).answers).toEqual([{ ok: true }])
    expect(await ledger.use(reservation)).toMatchObject({ state: 'running' })
    isFull = false
    expect((await send(redeem())).answers).toMatchObject([{ ok: true, state: 'unknown' }])
    expect((await send({ op: 'give_back', reservation, reason: 'no' })).answers).toEqual([
      { ok: true, released: false },
    ])
    expect(await events('use.ended')).toHaveLength(1)
  })

  test('redeemEndpoint() lets no resend run a use that went back meanwhile', async () => {
    const trail = memoryTrail()
    const disk: { fail?: (why: Error) => void; flushed?: () => void } = {}
    const audit = {
      ...trail,
      append: (event: Parameters<typeof trail.append>[0]) =>
        event.type === 'use.started' && disk.fail === undefined
          ? new Promise<void>((_resolve, reject) => (disk.fail = reject))
          : trail.append(event),
      flush: () => new Promise<void>((resolve) => (disk.flushed = resolve)),
    }
    const { send, redeem } = await apiRig({ audit })
    const one = send(redeem())
    await vi.waitUntil(() => disk.fail)
    const again = send(redeem())
    await vi.waitUntil(() => disk.flushed)
    disk.fail?.(new Error('disk'))
    expect((await one).answers).toEqual([{ ok: false, reason: 'audit-unavailable' }])
    disk.flushed?.()
    expect((await again).answers).toMatchObject([{ ok: true, state: 'unknown' }])
    expect((await send(redeem({}, 'b'))).answers).toMatchObject([{ ok: true, state: 'first' }])
  })

  test('redeemEndpoint() answers 503 while the ledger is down', async () => {
    const { send, redeem } = await apiRig({
      wrapLedger: (ledger) => ({ ...ledger, redeem: () => Promise.reject(new Error('gone')) }),
    })
    expect(await send(redeem())).toMatchObject({ status: 503, body: { reason: 'ledger-unavailable' } })
  })

  test('redeemEndpoint() refuses operators and bodies that are no batch', async () => {
    const { caller, api } = await apiRig()
    const operator = await caller('root')
    expect(await operator.json('/redeem', { calls: [] })).toMatchObject({
      status: 401,
      body: { error: 'invalid_token' },
    })
    expect(await api.json('/redeem', 'rubbish')).toMatchObject({ status: 400, body: { error: 'invalid_request' } })
    expect(await api.json('/redeem', { calls: [1] })).toMatchObject({ status: 400 })
  })
})
