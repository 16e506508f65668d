import assert from 'node:assert/strict'
import type { Case } from './scene.ts'
import { calls } from './scene.ts'

const RACERS = 1000

export const raceCases: readonly Case[] = [
  ...[1, 7, 100].map((uses): Case => ({
    title: `lets exactly ${uses} of ${RACERS} racing requests through`,
    async run(scene) {
      const grant = await scene.grant({ limits: [calls(uses)] })
      const requests = await Promise.all(Array.from({ length: RACERS }, () => scene.request(grant)))
      const answers = await Promise.all(requests.map(async (request) => scene.ledger.redeem(request)))
      const firsts = answers.flatMap((answer) => (answer.ok && answer.state === 'first' ? [answer.reservation] : []))
      assert.equal(firsts.length, uses)
      assert.equal(new Set(firsts).size, uses)
      assert.ok(answers.every((answer) => answer.ok || answer.reason === 'grant-exhausted'))
      assert.equal(await scene.usesLeft(grant), 0)
    },
  })),
  {
    title: 'never passes a total that racing grants share',
    async run(scene) {
      const task = await scene.openTask()
      const total = { id: 'total', per: 'task' as const, max: 100, parameter: 'amount', scale: 2 }
      const grants = await Promise.all(
        Array.from({ length: 20 }, async () => scene.register(task, { limits: [calls(10), total] })),
      )
      const answers = await Promise.all(
        grants.flatMap((grant) =>
          Array.from({ length: 10 }, async () => scene.redeem(grant, { amounts: { amount: 7 } })),
        ),
      )
      assert.equal(answers.filter((answer) => answer.ok).length, 14)
      assert.deepEqual((await scene.ledger.task(task.txn))?.spent, { total: 98 })
    },
  },
  {
    title: 'takes one of many requests with the same proof, and one of many with the same key',
    async run(scene) {
      const grant = await scene.grant({ limits: [calls(RACERS)] })
      const { proof } = await scene.request(grant)
      assert.ok(proof)
      const replays = await Promise.all(Array.from({ length: 100 }, async () => scene.redeem(grant, { proof })))
      assert.equal(replays.filter((answer) => answer.ok).length, 1)
      const idempotency = { key: 'k', digest: 'd' }
      const retries = await Promise.all(Array.from({ length: 100 }, async () => scene.redeem(grant, { idempotency })))
      assert.deepEqual(new Set(retries.map((answer) => answer.ok && answer.state)), new Set(['first', 'running']))
      assert.equal(retries.filter((answer) => answer.ok && answer.state === 'first').length, 1)
      assert.equal(await scene.usesLeft(grant), RACERS - 2)
    },
  },
  {
    title: 'gives a use back to one of many that ask',
    async run(scene) {
      const grant = await scene.grant()
      const { reservation } = await scene.first(grant)
      const answers = await Promise.all(
        Array.from({ length: 100 }, async () => scene.ledger.giveBack(reservation, 'nothing done')),
      )
      assert.equal(answers.filter(Boolean).length, 1)
      assert.equal(await scene.usesLeft(grant), 1)
    },
  },
  {
    title: 'lets nothing through that comes after the end it races with',
    async run(scene) {
      const grant = await scene.grant({ limits: [calls(RACERS)] })
      const requests = await Promise.all(Array.from({ length: 200 }, () => scene.request(grant)))
      const ended = { yet: false }
      const answers = await Promise.all([
        ...requests.slice(0, 100).map(async (request) => scene.ledger.redeem(request)),
        Promise.resolve(scene.ledger.endTask(grant.txn, 'completed')).then(() => (ended.yet = true)),
      ])
      assert.equal(answers.length, 101)
      assert.equal(ended.yet, true)
      const late = await Promise.all(requests.slice(100).map(async (request) => scene.ledger.redeem(request)))
      assert.ok(late.every((answer) => !answer.ok && answer.reason === 'task-ended'))
    },
  },
  {
    title: 'bounds open tasks when they are opened at once',
    async run(scene) {
      const records = await Promise.all(Array.from({ length: 50 }, () => scene.taskRecord()))
      const answers = await Promise.all(records.map(async (task) => scene.ledger.openTask(task, { maxOpenTasks: 3 })))
      assert.equal(answers.filter(({ ok }) => ok).length, 3)
    },
  },
]
