import { memoryTrail } from '@hallpass/core'
import { describe, expect, test } from 'vitest'
import { keyPair } from '../../test/holder.ts'
import { claimsOf, ORDERS, rig, START } from '../../test/rig.ts'

const callForm = (made: ReturnType<typeof rig>, entry: object = {}) => ({
  ...made.asClient('support-bot'),
  grant_type: 'client_credentials',
  resource: ORDERS,
  authorization_details: JSON.stringify([
    {
      type: 'urn:hallpass:tool-call',
      locations: [ORDERS],
      actions: ['refund.create'],
      identifier: 'order:123',
      parameters: { amount: '42.00' },
      purpose: 'support-ticket',
      ...entry,
    },
  ]),
})

describe('singleCall()', () => {
  test('singleCall() opens a task of its own that ends with its grant', async () => {
    const made = rig()
    const pair = keyPair()
    const { status, body } = await made.post('/token', callForm(made), pair)
    expect(status).toBe(200)
    expect(claimsOf(body.access_token)).toMatchObject({
      aud: ORDERS,
      txn: body.txn,
      exp: START + 30,
      cnf: { jkt: pair.jkt },
    })
    expect(await made.ledger.task(body.txn)).toMatchObject({
      deadline: START + 30,
      purpose: 'support-ticket',
      grantsIssued: 1,
    })
    expect(await made.events('task.opened')).toHaveLength(1)
    expect(await made.events('grant.issued')).toMatchObject([{ txn: body.txn }])
  })

  test('singleCall() counts against the open tasks of the agent', async () => {
    const made = rig()
    const answers = await Promise.all(Array.from({ length: 5 }, () => made.post('/token', callForm(made), keyPair())))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(3)
    expect(answers.find(({ status }) => status !== 200)?.body['reason']).toBe('too-many-open-tasks')
  })

  test.each([
    ['no purpose', { purpose: undefined }, 'details-invalid'],
    ['an unknown purpose', { purpose: 'x' }, 'purpose-unknown'],
    ['what policy refuses', { parameters: { amount: '60.00' } }, 'no-rule-matched'],
    ['what needs an approval', { parameters: { amount: '100.01' } }, 'approval-required'],
  ])('singleCall() with %s opens nothing', async (_name, entry, reason) => {
    const made = rig()
    expect(await made.post('/token', callForm(made, entry), keyPair())).toMatchObject({ status: 400, body: { reason } })
    expect(await made.events('task.opened')).toEqual([])
    expect(await made.ledger.sizes()).toMatchObject({ tasks: 0 })
  })

  test('singleCall() ends its task when the grant could not be recorded', async () => {
    const trail = memoryTrail()
    const made = rig({
      audit: {
        ...trail,
        append: (event) => (event.type === 'grant.issued' ? Promise.reject(new Error('full')) : trail.append(event)),
      },
    })
    expect(await made.post('/token', callForm(made), keyPair())).toMatchObject({ status: 503 })
    const [opened] = await trail.events({ type: 'task.opened' })
    expect(await made.ledger.task(opened?.txn ?? '')).toMatchObject({ end: { how: 'failed' } })
    expect(await trail.events({ type: 'task.ended' })).toHaveLength(1)
  })
})
