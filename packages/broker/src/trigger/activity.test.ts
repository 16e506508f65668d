import type { AuditEvent } from '@hallpass/core'
import { expect, test } from 'vitest'
import { Activity } from './activity.ts'

const event = (change: Partial<AuditEvent>): AuditEvent => ({
  id: 'ev_1',
  type: 'use.started',
  time: 0,
  source: 'verifier:https://orders.test#1',
  client_id: 'bot',
  txn: 'tsk_1',
  ...change,
})

test('Activity keeps nothing for tasks that only an API tells of', () => {
  const activity = new Activity()
  for (let n = 0; n < 1000; n += 1) activity.see(event({ txn: `tsk_${n}` }), 0)
  expect(activity.size).toBe(0)
})

test('Activity counts a use that an API reports of a task the broker opened, for its own agent only', () => {
  const activity = new Activity()
  activity.see(event({ type: 'task.opened', source: 'broker:https://broker.test' }), 0)
  activity.see(event({ client_id: 'other' }), 90)
  activity.see(event({}), 50)
  expect(activity.idle(149, () => 100)).toEqual([])
  expect(activity.idle(150, () => 100)).toEqual([{ txn: 'tsk_1', clientId: 'bot' }])
})

test('Activity forgets a task whose end this broker was never told of', () => {
  const activity = new Activity()
  activity.see(event({ type: 'task.opened', source: 'broker:https://broker.test' }), 0)
  expect([activity.idle(86_399, () => Infinity), activity.size]).toEqual([[], 1])
  expect([activity.idle(86_400, () => Infinity), activity.size]).toEqual([[], 0])
})
