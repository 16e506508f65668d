import { decodeStatusList, memoryTrail, statusAt, type RevocationTarget } from '@hallpass/core'
import { describe, expect, test } from 'vitest'
import { keyPair } from '../../test/holder.ts'
import { claimsOf, ORDERS, rig, START } from '../../test/rig.ts'

async function busy(options: Parameters<typeof rig>[0] = {}) {
  const made = rig(options)
  const pair = keyPair()
  const task = (await made.open(pair)).body
  const refund = claimsOf((await made.exchange(pair, task.access_token)).body.access_token)
  const read = claimsOf(
    (await made.exchange(pair, task.access_token, { actions: ['order.read'], parameters: {} })).body.access_token,
  )
  return { ...made, pair, task, refund, read }
}

describe('Broker.revoke()', () => {
  const targets: [string, (made: Awaited<ReturnType<typeof busy>>) => RevocationTarget, number, number, boolean][] = [
    ['grant', ({ refund }) => ({ kind: 'grant', jti: refund.jti }), 0, 1, true],
    ['task', ({ task }) => ({ kind: 'task', txn: task.txn }), 1, 2, true],
    ['agent', () => ({ kind: 'agent', clientId: 'support-bot' }), 1, 2, false],
    ['owner', () => ({ kind: 'owner', owner: 'team:support' }), 1, 2, false],
    ['action', () => ({ kind: 'action', audience: ORDERS, action: 'refund.create' }), 0, 1, true],
    ['policy-version', () => ({ kind: 'policy-version', version: '7' }), 1, 2, false],
    ['everything', () => ({ kind: 'everything' }), 1, 2, false],
  ]

  test.each(targets)(
    'revoke() by %s kills what it names, after saying so in a dry run',
    async (...[, targetOf, tasks, grants, mayOpen]) => {
      const made = await busy()
      const target = targetOf(made)
      const before = await made.events()
      const dry = await made.broker.revoke(target, 'odd', { dryRun: true })
      expect(dry.grants).toHaveLength(grants)
      expect(await made.events()).toEqual(before)
      expect((await made.ledger.grant(made.refund.jti))?.revoked).toBeUndefined()

      const effect = await made.broker.revoke(target, 'odd')
      expect(effect.tasks).toHaveLength(tasks)
      expect(effect.grants.map(({ jti }) => jti).toSorted()).toEqual(dry.grants.map(({ jti }) => jti).toSorted())
      expect(await made.ledger.grant(made.refund.jti)).toMatchObject({ revoked: {} })
      expect(await made.events('revocation.requested')).toMatchObject([
        { id: effect.event, reason: 'odd', data: { target } },
      ])
      expect(await made.events('grant.revoked')).toHaveLength(grants)
      expect((await made.events('grant.revoked')).every(({ follows }) => follows === effect.event)).toBe(true)
      expect((await made.open(keyPair())).status === 200).toBe(mayOpen)
    },
  )

  test('revoke() of everything stops issuing until it is lifted, and what was killed stays dead', async () => {
    const { broker, open, exchange, pair, task, ledger, refund, events } = await busy()
    await broker.revoke({ kind: 'everything' }, 'incident 7')
    expect(await open(keyPair())).toMatchObject({ body: { error: 'access_denied', reason: 'stopped' } })
    expect(await broker.resume({ kind: 'everything' }, 'incident over')).toBe(true)
    expect((await open(keyPair())).status).toBe(200)
    expect(await exchange(pair, task.access_token)).toMatchObject({ body: { reason: 'task-ended' } })
    expect(await ledger.grant(refund.jti)).toMatchObject({ revoked: {} })
    expect(await events('revocation.lifted')).toMatchObject([{ reason: 'incident over' }])
  })

  test('revoke() acts while the trail takes nothing; resume() does not', async () => {
    const trail = memoryTrail()
    let isFull = false
    const audit = {
      ...trail,
      append: (event: Parameters<typeof trail.append>[0]) =>
        isFull ? Promise.reject(new Error('full')) : trail.append(event),
    }
    const { broker, ledger, refund } = await busy({ audit })
    isFull = true
    await broker.revoke({ kind: 'everything' }, 'incident')
    expect(await ledger.grant(refund.jti)).toMatchObject({ revoked: {} })
    await expect(broker.resume({ kind: 'everything' }, 'over')).rejects.toMatchObject({ code: 'audit-unavailable' })
    isFull = false
    await broker.close()
    expect((await trail.events({ type: 'revocation.requested' })).length).toBe(1)
    expect((await trail.events({ type: 'grant.revoked' })).length).toBe(2)
  })

  test('revoke() lets no grant through that is being issued at the same time', async () => {
    const { broker, exchange, pair, task, ledger } = await busy()
    const read = { actions: ['order.read'], parameters: {} }
    const issuing = Array.from({ length: 20 }, () => exchange(pair, task.access_token, read))
    const [answers] = await Promise.all([Promise.all(issuing), broker.revoke({ kind: 'task', txn: task.txn }, 'odd')])
    const issued = answers.filter(({ status }) => status === 200).map(({ body }) => claimsOf(body.access_token).jti)
    const alive = (await Promise.all(issued.map(async (jti) => ledger.grant(jti)))).filter(
      (grant) => grant?.revoked === undefined,
    )
    expect(alive).toEqual([])
  })

  test('revoke() shows in the signed status list at once', async () => {
    const { broker, send, refund, read, time } = await busy()
    const entry = (claims: typeof refund) =>
      (claims['status'] as { status_list: { idx: number; uri: string } }).status_list
    const { uri } = entry(refund)
    const statusOf = async (claims: typeof refund) => {
      const { status, headers, body } = await send(new URL(uri).pathname)
      expect({ status, type: headers.get('content-type') }).toEqual({ status: 200, type: 'application/statuslist+jwt' })
      const list = claimsOf(body.text)
      expect(list).toMatchObject({ sub: uri, iat: time.now, exp: time.now + 60, ttl: 15, status_list: { bits: 1 } })
      const bytes = await decodeStatusList((list['status_list'] as { lst: string }).lst)
      return bytes.ok && statusAt(bytes.value, 1, entry(claims).idx)
    }
    expect(await statusOf(refund)).toEqual({ ok: true, value: 0 })
    await broker.revoke({ kind: 'grant', jti: refund.jti }, 'odd')
    expect(await statusOf(refund)).toEqual({ ok: true, value: 1 })
    expect(await statusOf(read)).toEqual({ ok: true, value: 0 })
    expect((await send('/status')).body).toEqual({ status_lists: [uri] })
  })

  test('revoke() signs an unchanged status list once in a while, not for each reader', async () => {
    const { send, refund, time } = await busy()
    const path = new URL((refund['status'] as { status_list: { uri: string } }).status_list.uri).pathname
    const first = (await send(path)).body.text
    expect((await send(path)).body.text).toBe(first)
    time.now += 5
    expect((await send(path)).body.text).not.toBe(first)
    expect((await send('/status/unknown')).status).toBe(404)
  })
})

describe('sweep()', () => {
  test('sweep() tells the trail what ran out', async () => {
    const { broker, time, refund, task, events } = await busy()
    time.now = START + 601
    await broker.close()
    expect(await events('task.ended')).toMatchObject([{ txn: task.txn, reason: 'expired', client_id: 'support-bot' }])
    expect((await events('grant.expired')).map(({ jti }) => jti)).toContain(refund.jti)
  })

  test('sweep() runs by itself on a request after a silence', async () => {
    const { time, send, events } = await busy()
    time.now = START + 601
    await send('/healthz')
    await send('/healthz')
    expect(await events('task.ended')).toMatchObject([{ reason: 'expired' }])
  })
})
