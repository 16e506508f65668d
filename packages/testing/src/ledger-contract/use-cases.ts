import assert from 'node:assert/strict'
import type { Case } from './scene.ts'
import { SETTINGS, calls } from './scene.ts'

const DONE = { status: 201, contentType: 'application/json', body: '{"refund":"r1"}' }
const key = (name: string, digest = 'digest') => ({ idempotency: { key: name, digest } })

export const useCases: readonly Case[] = [
  {
    title: 'tells a retry that the first is running, then what came of it, and charges it once',
    async run(scene) {
      const grant = await scene.grant({ limits: [calls(2)] })
      const event = scene.id('ev')
      const { reservation } = await scene.first(grant, { ...key('k'), event })
      assert.deepEqual(await scene.redeem(grant, key('k')), { ok: true, state: 'running', event })
      await scene.ledger.settle(reservation, DONE)
      assert.deepEqual(await scene.redeem(grant, key('k')), { ok: true, state: 'done', event, outcome: DONE })
      assert.equal(await scene.usesLeft(grant), 1)
    },
  },
  {
    title: 'answers a retry although the grant is used up, and across the grants of a task',
    async run(scene) {
      const task = await scene.openTask()
      const grant = await scene.register(task)
      const { reservation } = await scene.first(grant, key('k'))
      await scene.ledger.settle(reservation, DONE)
      const next = await scene.register(task)
      for (const each of [grant, next]) {
        const answer = await scene.redeem(each, key('k'))
        assert.equal(answer.ok && answer.state, 'done')
      }
      assert.equal(await scene.usesLeft(next), 1)
      await scene.first(next, key('k2'))
    },
  },
  {
    title: 'keeps idempotency keys to the deadline of the task, beyond the grant',
    async run(scene) {
      const task = await scene.openTask()
      const { reservation } = await scene.first(await scene.register(task), key('k'))
      await scene.ledger.settle(reservation, DONE)
      await scene.advance(500)
      const answer = await scene.redeem(await scene.register(task), key('k'))
      assert.equal(answer.ok && answer.state, 'done')
    },
  },
  {
    title: 'keeps keys of other tasks and audiences apart',
    async run(scene) {
      const task = await scene.openTask()
      await scene.first(await scene.register(task), key('k'))
      await scene.first(await scene.register(task, { audience: 'https://stock.example' }), key('k'))
      await scene.first(await scene.register(await scene.openTask()), key('k'))
    },
  },
  {
    title: 'refuses a key that comes with another request',
    async run(scene) {
      const grant = await scene.grant({ limits: [calls(2)] })
      await scene.first(grant, key('k'))
      await scene.refused(grant, 'idempotency-conflict', key('k', 'another digest'))
      assert.equal(await scene.usesLeft(grant), 1)
    },
  },
  {
    title: 'refuses a key that is empty or endless',
    async run(scene) {
      const grant = await scene.grant()
      await scene.refused(grant, 'request-malformed', key(''))
      await scene.refused(grant, 'request-malformed', key('k'.repeat(5000)))
      await scene.first(grant, key('__proto__'))
    },
  },
  {
    title: 'answers no retry whose proof was seen before',
    async run(scene) {
      const grant = await scene.grant()
      const { proof } = await scene.request(grant)
      assert.ok(proof)
      const { reservation } = await scene.first(grant, key('k'))
      await scene.ledger.settle(reservation, DONE)
      assert.equal((await scene.redeem(grant, { ...key('k'), proof })).ok, true)
      await scene.refused(grant, 'proof-replayed', { ...key('k'), proof })
    },
  },
  {
    title: 'commits a use whose lease ran out: unknown to a retry, reported once, never given back',
    async run(scene) {
      const grant = await scene.grant({ exp: Math.floor(await scene.ledger.now()) + 300, limits: [calls(2)] })
      const event = scene.id('ev')
      const { reservation } = await scene.first(grant, { ...key('k'), event })
      await scene.advance(SETTINGS.leaseSeconds)
      assert.deepEqual(await scene.redeem(grant, key('k')), { ok: true, state: 'unknown', event })
      await scene.ledger.settle(reservation, DONE)
      assert.deepEqual(await scene.redeem(grant, key('k')), { ok: true, state: 'unknown', event })
      assert.equal(await scene.ledger.giveBack(reservation, 'too late'), false)
      assert.equal(await scene.usesLeft(grant), 1)
      assert.deepEqual(
        (await scene.sweep()).unknownUses.map((use) => [use.event, use.jti, use.txn]),
        [[event, grant.jti, grant.txn]],
      )
      assert.deepEqual((await scene.sweep()).unknownUses, [])
    },
  },
  {
    title: 'reports no use as unknown that was settled or given back in time',
    async run(scene) {
      const grant = await scene.grant({ limits: [calls(2)] })
      await scene.ledger.settle((await scene.first(grant)).reservation, DONE)
      assert.equal(await scene.ledger.giveBack((await scene.first(grant)).reservation, 'nothing done'), true)
      await scene.advance(SETTINGS.leaseSeconds + 1)
      assert.deepEqual((await scene.sweep()).unknownUses, [])
    },
  },
  {
    title: 'settles once: the first outcome stands',
    async run(scene) {
      const grant = await scene.grant()
      const { reservation } = await scene.first(grant, key('k'))
      await scene.ledger.settle(reservation, DONE)
      await scene.ledger.settle(reservation, { status: 500 })
      const answer = await scene.redeem(grant, key('k'))
      assert.deepEqual(answer.ok && answer.state === 'done' && answer.outcome, DONE)
      assert.equal(await scene.ledger.giveBack(reservation, 'after all'), false)
      assert.equal(await scene.usesLeft(grant), 0)
    },
  },
  {
    title: 'gives a use back exactly once, with its totals, and forgets its key',
    async run(scene) {
      const task = await scene.openTask()
      const limits = [
        calls(2),
        { id: 'total', per: 'task' as const, max: 10, parameter: 'amount', scale: 2 },
        { id: 'minute', per: 'agent' as const, max: 1, window_seconds: 86_400 },
      ]
      const grant = await scene.register(task, { limits })
      const amounts = { amount: 7 }
      const { reservation } = await scene.first(grant, { amounts, ...key('k') })
      assert.equal(await scene.ledger.giveBack(reservation, 'out of stock'), true)
      assert.equal(await scene.ledger.giveBack(reservation, 'out of stock'), false)
      assert.equal(await scene.usesLeft(grant), 2)
      assert.deepEqual((await scene.ledger.task(task.txn))?.spent, { total: 0 })
      assert.deepEqual((await scene.ledger.task(task.txn))?.uses, {})
      await scene.ledger.settle(reservation, DONE)
      await scene.first(grant, { amounts, ...key('k') })
      await scene.refused(grant, 'limit-exceeded', { amounts, ...key('k2') })
    },
  },
  {
    title: 'gives nothing back that nobody reserved',
    async run(scene) {
      const grant = await scene.grant()
      await scene.first(grant)
      for (const reservation of ['', 'res_unknown', grant.jti]) {
        assert.equal(await scene.ledger.giveBack(reservation, 'guess'), false)
        await scene.ledger.settle(reservation, DONE)
      }
      assert.equal(await scene.usesLeft(grant), 0)
    },
  },
  ...(['expiry', 'end', 'revocation', 'deadline'] as const).map((how): Case => ({
    title: `gives nothing back after ${how}`,
    async run(scene) {
      const now = Math.floor(await scene.ledger.now())
      const task = await scene.openTask({ deadline: now + 20 })
      const grant = await scene.register(task, { iat: now, exp: now + (how === 'expiry' ? 10 : 20) })
      const { reservation } = await scene.first(grant)
      if (how === 'expiry') await scene.advance(10)
      if (how === 'deadline') await scene.advance(20)
      if (how === 'end') await scene.ledger.endTask(task.txn, 'completed')
      if (how === 'revocation') await scene.ledger.revoke({ kind: 'grant', jti: grant.jti }, 'test')
      assert.equal(await scene.ledger.giveBack(reservation, 'too late'), false)
    },
  })),
  {
    title: 'counts uses by action in the history of the task',
    async run(scene) {
      const task = await scene.openTask()
      await scene.first(await scene.register(task))
      const { reservation } = await scene.first(
        await scene.register(task, { action: 'order.read', limits: [calls(9)] }),
      )
      await scene.first(await scene.register(task, { action: '__proto__' }))
      assert.equal(await scene.ledger.giveBack(reservation, 'nothing done'), true)
      await scene.ledger.noteRefusal(task.txn)
      await scene.ledger.noteRefusal('tsk_unknown')
      const state = await scene.ledger.task(task.txn)
      assert.deepEqual(
        new Map(Object.entries(state?.uses ?? {})),
        new Map([
          ['refund.create', 1],
          ['__proto__', 1],
        ]),
      )
      assert.deepEqual([state?.grantsIssued, state?.refusals], [3, 1])
    },
  },
]
