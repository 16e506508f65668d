import { describe, expect, test } from 'vitest'
import { keyPair } from '../../test/holder.ts'
import { claimsOf, ISSUER, rig, START, workloads } from '../../test/rig.ts'

function renewal(made: ReturnType<typeof rig>, txn: string, name: 'support-bot' | 'other-bot' = 'support-bot') {
  return {
    ...made.asClient(name),
    grant_type: 'client_credentials',
    resource: ISSUER,
    authorization_details: JSON.stringify([{ type: 'urn:hallpass:task', txn }]),
  }
}

describe('renewTask()', () => {
  test('renewTask() gives a new token for the same task, deadline, ceiling and key', async () => {
    const made = rig({ taskTokenSeconds: 60 })
    const pair = keyPair()
    const task = await made.open(pair, { note: 'n', ceiling: { actions: ['refund.create'] } })
    made.time.now += 59
    const { status, body } = await made.post('/token', renewal(made, task.body.txn), pair)
    expect(status).toBe(200)
    expect(body['authorization_details']).toEqual(task.body['authorization_details'])
    expect(claimsOf(body.access_token)).toMatchObject({ txn: task.body.txn, exp: START + 119, cnf: { jkt: pair.jkt } })
    made.time.now += 10
    expect((await made.exchange(pair, body.access_token)).status).toBe(200)
    expect(await made.events('task.renewed')).toMatchObject([{ txn: task.body.txn, purpose: 'support-ticket' }])
  })

  test('renewTask() never passes the deadline', async () => {
    const made = rig({ taskTokenSeconds: 60 })
    const pair = keyPair()
    const task = await made.open(pair, { deadline: START + 80 })
    made.time.now += 50
    const { body } = await made.post('/token', renewal(made, task.body.txn), pair)
    expect(claimsOf(body.access_token)['exp']).toBe(START + 80)
    made.time.now = START + 80
    expect(await made.post('/token', renewal(made, task.body.txn), pair)).toMatchObject({
      body: { error: 'invalid_request', reason: 'task-expired' },
    })
  })

  test('renewTask() keeps what the task has spent', async () => {
    const made = rig()
    const pair = keyPair()
    const task = await made.open(pair)
    await made.exchange(pair, task.body.access_token, { parameters: { amount: '60.00' } })
    const { body } = await made.post('/token', renewal(made, task.body.txn), pair)
    await made.exchange(pair, body.access_token)
    expect(await made.ledger.task(task.body.txn)).toMatchObject({ refusals: 1, grantsIssued: 1 })
  })

  test('renewTask() refuses another key, in the words it has for a task that does not exist', async () => {
    const made = rig()
    const task = await made.open(keyPair())
    const stolen = await made.post('/token', renewal(made, task.body.txn), keyPair())
    const unknown = await made.post('/token', renewal(made, 'tsk_unknown'), keyPair())
    const said = ({ status, body }: typeof stolen) => ({ status, error: body.error, reason: body['reason'] })
    expect(said(stolen)).toEqual({ status: 400, error: 'invalid_request', reason: 'task-unknown' })
    expect(said(unknown)).toEqual(said(stolen))
  })

  test('renewTask() refuses another agent, even with the same key', async () => {
    const made = rig()
    const pair = keyPair()
    const task = await made.open(pair)
    expect(await made.post('/token', renewal(made, task.body.txn, 'other-bot'), pair)).toMatchObject({
      body: { reason: 'task-unknown' },
    })
  })

  test('renewTask() refuses a task that has ended', async () => {
    const made = rig()
    const pair = keyPair()
    const task = await made.open(pair)
    await made.ledger.endTask(task.body.txn, 'completed')
    expect(await made.post('/token', renewal(made, task.body.txn), pair)).toMatchObject({
      body: { error: 'invalid_request', reason: 'task-ended' },
    })
  })

  test('renewTask() asks for identity: the task token does not renew itself', async () => {
    const made = rig()
    const pair = keyPair()
    const task = await made.open(pair)
    const {
      client_assertion: _assertion,
      client_assertion_type: _type,
      ...form
    } = renewal(made, task.body.txn) as Record<string, string>
    expect(await made.post('/token', form as Record<string, string>, pair)).toMatchObject({ status: 401 })
    expect(workloads['support-bot'].jkt).not.toBe(pair.jkt)
  })
})
