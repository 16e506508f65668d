import { decimal, defineApi } from '@hallpass/core'
import { TEST_PURPOSE, testKey, testWorld } from '@hallpass/testing'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { answered, tokenOf } from '../stage/stage.ts'

const AUDIENCE = 'https://orders.test'
const api = defineApi({
  audience: AUDIENCE,
  actions: {
    'refund.create': {
      route: 'POST /orders/{id}/refund',
      resource: 'order:{id}',
      risk: 'write',
      parameters: z.object({ amount: decimal() }),
    },
  },
})

test('a stranger with a key of its own leaves nothing behind in the ledger', async () => {
  const world = testWorld({ api })
  const task = tokenOf(await world.wire().open(TEST_PURPOSE))
  const before = await world.ledger.sizes()
  const stranger = world.wire('test-agent', testKey())
  const call = { audience: AUDIENCE, action: 'refund.create', resource: 'order:1', parameters: { amount: '1.00' } }
  expect(answered(await stranger.post('/revoke', { token: 'a.b.c' }))).toBe('200')
  expect(answered(await stranger.post('/revoke', { token: 'rubbish' }))).toBe('200')
  expect(answered(await stranger.post('/revoke', { token: task }))).toMatch(/^400 invalid_dpop_proof/)
  expect(answered(await stranger.exchange(task, call))).toMatch(/^400 invalid_dpop_proof/)
  expect(answered(await stranger.post('/introspect', { token: task }))).toMatch(/^401/)
  expect(await world.ledger.sizes()).toEqual(before)
})
