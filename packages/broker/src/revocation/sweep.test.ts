import { memoryTrail, type AuditEvent, type Ledger } from '@hallpass/core'
import { describe, expect, test } from 'vitest'
import { keyPair } from '../../test/holder.ts'
import { ORDERS, redeemRequest, rig } from '../../test/rig.ts'
import { idOf } from '../ledger/use-events.ts'

const LEASE_SECONDS = 61
const CLAIM_SECONDS = 31

/** A broker whose ledger has a use that no broker put on record, as after a crash. */
async function crashed(options: Parameters<typeof rig>[0] = {}, outbox = true) {
  const made = rig(options)
  const pair = keyPair()
  const task = (await made.open(pair)).body
  const grant = (await made.exchange(pair, task.access_token)).body.access_token
  const request = redeemRequest(grant, { pair, attempt: 'a' })
  const answer = await made.ledger.redeem({ ...request, ...(outbox && { outbox: true }) })
  const reservation = answer.ok && answer.state === 'first' ? answer.reservation : ''
  const told = async () =>
    (await made.events())
      .filter(({ type }) => type.startsWith('use.'))
      .map(({ id, type, follows }) => [type, type === 'use.started' ? id : follows])
  return { ...made, request, reservation, told }
}

describe('sweep()', () => {
  test('sweep() writes the start that a crash kept out of the trail, and its end, once', async () => {
    const { broker, time, request, reservation, told, events } = await crashed()
    await broker.close()
    expect(await told()).toEqual([])
    time.now += LEASE_SECONDS
    await broker.close()
    time.now += CLAIM_SECONDS
    await broker.close()
    expect(await told()).toEqual([
      ['use.started', request.event],
      ['use.unknown', request.event],
    ])
    expect((await events('use.started'))[0]).toMatchObject({
      source: `verifier:${ORDERS}`,
      aud: ORDERS,
      action: request.action,
      resource: request.resource,
      jti: request.jti,
      data: { reservation, recovered: true },
    })
  })

  test('sweep() leaves the start of a use to the trail of its verifier', async () => {
    const { broker, time, request, told } = await crashed({}, false)
    time.now += LEASE_SECONDS
    await broker.close()
    expect(await told()).toEqual([['use.unknown', request.event]])
  })

  test.each(['use.ended', 'use.given-back'] as const)(
    'sweep() adds nothing to a use whose start and %s are on record',
    async (type) => {
      const { broker, trail, time, request, reservation, told } = await crashed()
      const source = 'broker:https://broker.test'
      const { event } = request
      await trail.append({ id: event, type: 'use.started', time: time.now, source: `verifier:${ORDERS}` })
      await trail.append({ id: idOf(type, reservation), type, time: time.now, source, follows: event })
      time.now += LEASE_SECONDS
      await broker.close()
      expect(await told()).toEqual([
        ['use.started', event],
        [type, event],
      ])
    },
  )

  test('sweep() tells again what the trail did not take, and acknowledges nothing before', async () => {
    const trail = memoryTrail()
    let isFull = true
    const receipts: string[] = []
    const audit = {
      ...trail,
      append: (event: AuditEvent) =>
        isFull && event.type.startsWith('use.') ? Promise.reject(new Error('full')) : trail.append(event),
    }
    const wrapLedger = (ledger: Ledger): Ledger => ({
      ...ledger,
      acknowledge(receipt) {
        receipts.push(receipt)
        return ledger.acknowledge(receipt)
      },
    })
    const { broker, time } = await crashed({ audit, wrapLedger })
    time.now += LEASE_SECONDS
    await broker.close()
    expect(receipts).toEqual([])
    isFull = false
    time.now += CLAIM_SECONDS
    await broker.close()
    expect(receipts).toHaveLength(1)
    const types = (await trail.events()).map(({ type }) => type).filter((type) => type.startsWith('use.'))
    expect(types).toEqual(['use.started', 'use.unknown'])
  })
})

describe('redeemEndpoint() after a restart of the broker', () => {
  test.each([
    ['settle', { outcome: { status: 201 } }, 'use.ended'],
    ['give_back', { reason: 'nothing done' }, 'use.given-back'],
  ])('takes %s of a use that began before it, and writes the start that is missing', async (op, more, type) => {
    const { caller, request, reservation, told } = await crashed()
    const { json } = await caller('orders-api')
    const calls = [{ op, reservation, ...more }]
    expect(await json('/redeem', { calls })).toMatchObject({ status: 200, body: { answers: [{ ok: true }] } })
    await json('/redeem', { calls })
    expect(await told()).toEqual([
      ['use.started', request.event],
      [type, request.event],
    ])
  })
})
