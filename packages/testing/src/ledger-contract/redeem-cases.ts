import assert from 'node:assert/strict'
import type { RedeemRequest, RefusalReason } from '@hallpass/core'
import type { Case } from './scene.ts'
import { assertRefused, calls } from './scene.ts'

const others: readonly [string, Partial<RedeemRequest>, RefusalReason][] = [
  ['audience', { audience: 'https://other.example' }, 'audience-mismatch'],
  ['issuer', { issuer: 'https://other.example' }, 'grant-unknown'],
  ['task', { txn: 'tsk_other' }, 'grant-unknown'],
  ['agent', { clientId: 'other-bot' }, 'grant-unknown'],
  ['expiry', { exp: 4_000_000_000 }, 'grant-unknown'],
  ['issue time', { iat: 1 }, 'grant-unknown'],
  ['action', { action: 'refund.read' }, 'action-mismatch'],
  ['resource', { resource: 'order:1234' }, 'resource-mismatch'],
]

export const redeemCases: readonly Case[] = [
  {
    title: 'answers first with what is left, once per use',
    async run(scene) {
      const grant = await scene.grant({ limits: [calls(2)] })
      assert.equal((await scene.first(grant)).usesLeft, 1)
      assert.equal((await scene.first(grant)).usesLeft, 0)
      await scene.refused(grant, 'grant-exhausted')
    },
  },
  {
    title: 'refuses a grant nobody registered',
    async run(scene) {
      const task = await scene.openTask()
      await scene.refused(await scene.grantRecord(task), 'grant-unknown')
    },
  },
  ...others.map(([what, changes, reason]): Case => ({
    title: `refuses another ${what} than was registered, and charges nothing`,
    async run(scene) {
      const grant = await scene.grant()
      await scene.refused(grant, reason, changes)
      await scene.first(grant)
    },
  })),
  {
    title: 'takes any one resource of a class, and no other',
    async run(scene) {
      const grant = await scene.grant({ resource: 'order:*', limits: [calls(9)] })
      await scene.first(grant, { resource: 'order:1' })
      await scene.first(grant, { resource: 'order:2' })
      for (const resource of ['order:', 'order:*', 'orders:1', 'item:1', '']) {
        await scene.refused(grant, 'resource-mismatch', { resource })
      }
    },
  },
  {
    title: 'refuses limits and source a request claims for itself: the registration counts',
    async run(scene) {
      const grant = await scene.grant()
      await scene.first(grant, { source: 'signed', limits: [calls(100)] })
      await scene.refused(grant, 'grant-exhausted', { source: 'signed', limits: [calls(100)] })
    },
  },
  {
    title: 'refuses a bound grant without proof, and with a proof by another key',
    async run(scene) {
      const grant = await scene.grant()
      const { proof, ...bare } = await scene.request(grant)
      assert.ok(proof)
      assertRefused(await scene.ledger.redeem(bare), 'proof-missing')
      await scene.refused(grant, 'binding-failed', { proof: { ...proof, jkt: 'another-key' } })
      await scene.first(grant)
    },
  },
  {
    title: 'refuses a proof seen before, for this grant and any other',
    async run(scene) {
      const task = await scene.openTask()
      const grant = await scene.register(task, { limits: [calls(5)] })
      const { proof } = await scene.request(grant)
      assert.ok(proof)
      await scene.first(grant, { proof })
      await scene.refused(grant, 'proof-replayed', { proof })
      await scene.refused(await scene.register(task), 'proof-replayed', { proof })
      assert.equal(await scene.usesLeft(grant), 4)
    },
  },
  {
    title: 'takes the id of a proof again when another key proves with it',
    async run(scene) {
      const task = await scene.openTask()
      const { proof } = await scene.request(await scene.register(task))
      assert.ok(proof)
      await scene.first(await scene.register(task), { proof })
      const other = await scene.register(task, { jkt: 'another-key' })
      await scene.first(other, { proof: { ...proof, jkt: 'another-key' } })
    },
  },
  {
    title: 'remembers a proof for as long as anybody would accept it, and the skew longer',
    async run(scene) {
      const grant = await scene.grant({ limits: [calls(5)] })
      const { proof } = await scene.request(grant)
      assert.ok(proof)
      await scene.first(grant, { proof })
      for (const seconds of [30, 29]) {
        await scene.advance(seconds)
        await scene.refused(grant, 'proof-replayed', { proof })
      }
    },
  },
  {
    title: 'refuses a proof that is over, and one accepted further ahead than its mark would last',
    async run(scene) {
      const grant = await scene.grant({ limits: [calls(5)] })
      const { proof } = await scene.request(grant)
      assert.ok(proof)
      const now = await scene.ledger.now()
      for (const acceptUntil of [now - 1, now + 3600, Number.NaN, Number.POSITIVE_INFINITY]) {
        await scene.refused(grant, 'proof-time', { proof: { ...proof, acceptUntil } })
      }
      await scene.refused(grant, 'proof-malformed', { proof: { ...proof, jti: '' } })
      await scene.refused(grant, 'proof-malformed', { proof: { ...proof, jti: 'x'.repeat(5000) } })
      assert.equal(await scene.usesLeft(grant), 5)
    },
  },
  {
    title: 'uses up the proof of a request that no limit took',
    async run(scene) {
      const grant = await scene.grant()
      const { reservation } = await scene.first(grant)
      const { proof } = await scene.request(grant)
      assert.ok(proof)
      await scene.refused(grant, 'grant-exhausted', { proof })
      assert.equal(await scene.ledger.giveBack(reservation, 'out of stock'), true)
      await scene.refused(grant, 'proof-replayed', { proof })
    },
  },
  {
    title: 'takes an attempt that is sent again as the same redeem',
    async run(scene) {
      const grant = await scene.grant({ limits: [calls(2)] })
      const request = await scene.request(grant)
      const answer = await scene.ledger.redeem(request)
      assert.deepEqual(await scene.ledger.redeem(request), answer)
      assert.equal(await scene.usesLeft(grant), 1)
      const second = await scene.request(grant)
      assert.deepEqual(await scene.ledger.redeem(second), await scene.ledger.redeem(second))
      assert.equal(await scene.usesLeft(grant), 0)
    },
  },
  {
    title: 'gives a refused attempt the same answer again, not a replay',
    async run(scene) {
      const grant = await scene.grant()
      await scene.first(grant)
      const request = await scene.request(grant)
      assertRefused(await scene.ledger.redeem(request), 'grant-exhausted')
      assertRefused(await scene.ledger.redeem(request), 'grant-exhausted')
    },
  },
  {
    title: 'refuses another request under the id of an attempt',
    async run(scene) {
      const grant = await scene.grant({ limits: [calls(2)] })
      const attempt = scene.id('at')
      await scene.first(grant, { attempt })
      await scene.refused(grant, 'idempotency-conflict', { attempt })
    },
  },
  {
    title: 'refuses another request under the id of an attempt that has ended',
    async run(scene) {
      const grant = await scene.grant({ limits: [calls(3)] })
      const attempt = scene.id('at')
      const { reservation } = await scene.first(grant, { attempt, event: attempt })
      await scene.ledger.settle(reservation, { status: 200 })
      await scene.refused(grant, 'idempotency-conflict', { attempt })
      await scene.refused(grant, 'idempotency-conflict', {
        attempt,
        event: attempt,
        idempotency: { key: 'k', digest: 'd' },
      })
      assert.equal(await scene.usesLeft(grant), 2)
    },
  },
  {
    title: 'tells an attempt that names its own event what it told every other',
    async run(scene) {
      const grant = await scene.grant({ limits: [calls(9)] })
      for (const outcome of [{ status: 204 }, { status: 200, contentType: 'text/plain' }, { status: 1001 }]) {
        const attempt = scene.id('at')
        const request = await scene.request(grant, { attempt, event: attempt })
        const answer = await scene.ledger.redeem(request)
        assert.ok(answer.ok && answer.state === 'first')
        assert.deepEqual(await scene.ledger.redeem(request), answer)
        await scene.ledger.settle(answer.reservation, outcome)
        assert.deepEqual(await scene.ledger.redeem(request), { ok: true, state: 'done', event: attempt, outcome })
      }
      const attempt = scene.id('at')
      const request = await scene.request(grant, { attempt, event: attempt })
      const answer = await scene.ledger.redeem(request)
      assert.ok(answer.ok && answer.state === 'first')
      assert.equal(await scene.ledger.giveBack(answer.reservation, 'nothing done'), true)
      assert.deepEqual(await scene.ledger.redeem(request), { ok: true, state: 'unknown', event: attempt })
      assert.equal(await scene.usesLeft(grant), 6)
    },
  },
  {
    title: 'lets an attempt that is sent again never start twice what has ended',
    async run(scene) {
      const grant = await scene.grant({ limits: [calls(3)] })
      const settled = await scene.request(grant)
      const answer = await scene.ledger.redeem(settled)
      assert.ok(answer.ok && answer.state === 'first')
      await scene.ledger.settle(answer.reservation, { status: 204 })
      assert.deepEqual(await scene.ledger.redeem(settled), {
        ok: true,
        state: 'done',
        event: settled.event,
        outcome: { status: 204 },
      })

      const returned = await scene.request(grant)
      const again = await scene.ledger.redeem(returned)
      assert.ok(again.ok && again.state === 'first')
      assert.equal(await scene.ledger.giveBack(again.reservation, 'nothing done'), true)
      assert.deepEqual(await scene.ledger.redeem(returned), { ok: true, state: 'unknown', event: returned.event })
    },
  },
]
