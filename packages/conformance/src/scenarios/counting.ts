import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import * as fc from 'fast-check'
import { atEachDoor, once, type Scenario } from '../scenario.ts'
import { told, type Stage } from '../stage/stage.ts'

const key = (value: string = randomUUID()) => ['idempotency-key', `"${value}"`] as const

async function race(stage: Stage, limit: 1 | 7 | 100): Promise<void> {
  const token = await stage.updateGrant(await stage.task(`count-${limit}`))
  const answers = await Promise.all(Array.from({ length: 1000 }, () => stage.update(token)))
  const passed = answers.filter(({ status }) => status === 200).length
  assert.equal(passed, limit)
  assert.equal(stage.runs.length, limit)
  assert.equal(answers.filter((answer) => told(answer) === '401 grant-exhausted').length, 1000 - limit)
}

/** Never 3 and rules 1, 2 and 9: counts and totals are exact. */
export const counting: readonly Scenario[] = [
  ...([1, 7, 100] as const).map((limit) =>
    atEachDoor(['count.calls'], `lets ${limit} of 1,000 parallel calls through`, (stage) => race(stage, limit)),
  ),
  atEachDoor(['count.totals'], 'never passes a total, however many grants are raced', async (stage) => {
    const task = await stage.task()
    const tokens = await Promise.all(Array.from({ length: 20 }, () => stage.refundGrant(task, '20.00')))
    const answers = await Promise.all(tokens.map((token) => stage.refund(token, '20.00')))
    assert.equal(answers.filter(({ status }) => status === 200).length, 4, '80.00 in steps of 20.00')
    assert.equal(stage.runs.length, 4)
  }),
  atEachDoor(['total.agent'], 'resets no limit of the agent for another task', async (stage) => {
    const spend = async (amount: string) => {
      const task = await stage.task()
      const answer = await stage.ask(task, { action: 'refund.create', resource: 'order:123', parameters: { amount } })
      const token = answer.body['access_token']
      return typeof token === 'string' ? told(await stage.refund(token, amount)) : String(answer.body['reason'])
    }
    assert.deepEqual([await spend('50.00'), await spend('50.00'), await spend('20.00')], ['200', '200', '200'])
    assert.match(await spend('0.01'), /limit-exceeded|grant-exhausted/)
  }),
  atEachDoor(['redeem.first', 'redeem.outcome'], 'runs the handler once for one idempotency key', async (stage) => {
    const token = await stage.updateGrant(await stage.task('count-7'))
    const headers = key()
    const answers = await Promise.all(Array.from({ length: 50 }, () => stage.update(token, '1', { headers })))
    assert.equal(stage.runs.length, 1)
    assert(answers.every(({ status }) => status === 200 || status === 409))
    const again = await stage.update(token, '1', { headers })
    assert.equal(told(again), '200')
    assert.equal(again.headers['idempotency-replayed'], 'true')
    assert.deepEqual(again.json, { done: true })
    assert.equal(stage.runs.length, 1)
    for (let n = 0; n < 6; n++) assert.equal(told(await stage.update(token)), '200', 'six uses are left')
    assert.equal(told(await stage.update(token)), '401 grant-exhausted')
  }),
  atEachDoor(['redeem.conflict'], 'refuses one idempotency key for another request', async (stage) => {
    const token = await stage.updateGrant(await stage.task('count-7'))
    const headers = key()
    assert.equal(told(await stage.update(token, '1', { headers })), '200')
    assert.equal(told(await stage.update(token, '2', { headers })), '422 idempotency-conflict')
    assert.equal(stage.runs.length, 1)
  }),
  atEachDoor(['use.give-back'], 'gives a use back only by giveBack, and once', async (stage) => {
    const given: boolean[] = []
    await stage.mount({
      handle: async ({ grant }) => {
        if (stage.runs.length > 2) return {}
        given.push((await grant?.giveBack('nothing was done')) ?? false)
        given.push((await grant?.giveBack('again')) ?? false)
        return {}
      },
    })
    const token = await stage.updateGrant(await stage.task('count-1'))
    for (let n = 0; n < 3; n++) assert.equal(told(await stage.update(token)), '200')
    assert.equal(told(await stage.update(token)), '401 grant-exhausted')
    assert.deepEqual(given, [true, false, true, false])
  }),
  atEachDoor(['use.failed-handler'], 'has used the use of a handler that failed', async (stage) => {
    await stage.mount({
      handle: () => {
        throw new Error('the handler failed')
      },
    })
    const token = await stage.refundGrant(await stage.task())
    assert.equal((await stage.refund(token)).status, 500)
    assert.equal(told(await stage.refund(token)), '401 grant-exhausted')
    assert.equal(stage.runs.length, 1)
  }),
  atEachDoor(['total.decimal'], 'refuses amounts that are no canonical decimal', async (stage) => {
    const task = await stage.task()
    for (const amount of [
      '-1.00',
      '1e1',
      '+1.00',
      '01.00',
      '1.001',
      'NaN',
      '',
      '9007199254740993.00',
      1,
      ['1.00'],
      null,
    ]) {
      const answer = await stage.ask(task, { action: 'refund.create', resource: 'order:123', parameters: { amount } })
      assert.equal(answer.status, 400, String(amount))
    }
    await stage.refundGrant(task)
  }),
  once(['total.open-tasks'], 'opens no more tasks than the registration says', async (stage) => {
    const opened = await Promise.all(Array.from({ length: 12 }, () => stage.agent.open('support')))
    assert.equal(opened.filter(({ status }) => status === 200).length, 5)
    const task = String(opened.find(({ status }) => status === 200)?.body['access_token'])
    await stage.agent.end(task, 'completed')
    await stage.task()
  }),
  once(
    ['count.calls', 'count.totals', 'use.give-back'],
    'holds in any mix of calls, retries and give-backs',
    async (stage) => {
      let giveBack = false
      let kept = 0
      await stage.mount({
        handle: async ({ grant }) => {
          if (giveBack) await grant?.giveBack('property')
          else kept += 1
          return {}
        },
      })
      const move = fc.record({ retry: fc.boolean(), giveBack: fc.boolean(), parallel: fc.integer({ min: 1, max: 5 }) })
      await fc.assert(
        fc.asyncProperty(fc.array(move, { minLength: 4, maxLength: 14 }), async (moves) => {
          kept = 0
          const task = await stage.task('count-7')
          const token = await stage.updateGrant(task)
          for (const step of moves) {
            giveBack = step.giveBack
            const headers = step.retry ? key('same') : []
            await Promise.all(Array.from({ length: step.parallel }, () => stage.update(token, '1', { headers })))
          }
          await stage.agent.end(task, 'completed')
          assert(kept <= 7, `${kept} uses of 7`)
        }),
        { numRuns: 15 },
      )
    },
  ),
]
