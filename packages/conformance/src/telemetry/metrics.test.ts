import { memoryLedger } from '@hallpass/core'
import { createVerifier } from '@hallpass/verifier'
import { describe, expect, test } from 'vitest'
import { orders } from './orders.ts'
import { recorded } from './recorded.ts'
import { refund, stage, task } from './stage.ts'

describe('metrics', () => {
  test('count what the trail says, by name and reason', async () => {
    const { telemetry, series } = recorded()
    const { world, client } = stage(telemetry)
    await client.task(task, async (open) => {
      await open.call('refund.create', refund)
      return open.call('refund.create', { ...refund, callId: 'call-2', parameters: { amount: '50.01' } })
    })
    await world.fetch(`${orders.audience}/orders/1`)
    await world.verifier().flush()
    const agent = { 'gen_ai.agent.id': 'support-bot' }
    const call = { 'hallpass.audience': orders.audience, 'hallpass.action': 'refund.create' }
    const told = await series()
    const of = (name: string) =>
      told.filter((one) => one.name === name).map(({ attributes, value }) => ({ attributes, value }))
    expect(of('hallpass.tasks.opened')).toEqual([
      { attributes: { ...agent, 'hallpass.purpose': 'support-ticket' }, value: 1 },
    ])
    expect(of('hallpass.tasks.ended')).toEqual([{ attributes: { ...agent, 'hallpass.end': 'completed' }, value: 1 }])
    expect(of('hallpass.grants.issued')).toEqual([{ attributes: { ...agent, ...call }, value: 1 }])
    expect(of('hallpass.grants.refused')).toEqual([
      { attributes: { ...agent, ...call, 'hallpass.reason': 'no-rule-matched' }, value: 1 },
    ])
    expect(of('hallpass.verifications')).toEqual([
      { attributes: { ...call, 'hallpass.verdict': 'admitted' }, value: 1 },
      {
        attributes: {
          'hallpass.audience': orders.audience,
          'hallpass.action': 'order.read',
          'hallpass.verdict': 'refused',
          'hallpass.reason': 'credential-missing',
        },
        value: 1,
      },
    ])
    expect(of('hallpass.uses')).toEqual([{ attributes: { ...call, 'hallpass.outcome': 'settled' }, value: 1 }])
    expect(of('hallpass.audit.backlog')).toEqual([{ attributes: { 'hallpass.role': 'broker' }, value: 0 }])
    expect(of('hallpass.feed.streams')).toEqual([{ attributes: {}, value: 0 }])
    const durations = told.filter(({ name }) => name.endsWith('.duration'))
    expect(new Set(durations.map(({ name, unit }) => `${name} ${unit}`))).toEqual(
      new Set([
        'gen_ai.execute_tool.duration s',
        'hallpass.ask.duration s',
        'hallpass.broker.request.duration s',
        'hallpass.verify.duration s',
      ]),
    )
    await world.close()
  })

  test('a replayed proof is told by its reason', async () => {
    const { telemetry, series } = recorded()
    const { world } = stage(telemetry)
    const wire = world.wire('support-bot')
    const { access_token: taskToken } = (await wire.open(task.purpose)).body as { access_token: string }
    const granted = await wire.exchange(taskToken, {
      audience: orders.audience,
      action: 'order.read',
      resource: 'order:1',
    })
    const { access_token: token } = granted.body as { access_token: string }
    const dpop = wire.proof({ method: 'GET', url: `${orders.audience}/orders/1`, token })
    const headers = { authorization: `DPoP ${token}`, dpop }
    const statuses = [1, 2].map(async () => (await world.fetch(`${orders.audience}/orders/1`, { headers })).status)
    expect((await Promise.all(statuses)).toSorted((a, b) => a - b)).toEqual([200, 401])
    const reasons = (await series('hallpass.verifications')).map(({ attributes }) => attributes['hallpass.reason'])
    expect(reasons).toEqual([undefined, expect.stringMatching(/^(proof-replayed|grant-exhausted)$/)])
    await world.close()
  })

  test('a ledger that does not answer is an error of it, and of the verification', async () => {
    const { telemetry, series, spans } = recorded()
    const { world, client } = stage(telemetry)
    const ledger = memoryLedger({ exactFor: 'one-process', clock: world.clock.now })
    const down = { ...ledger, redeem: () => Promise.reject(new Error('down')) }
    const verifier = createVerifier({
      api: orders,
      issuer: world.broker,
      ledger: down,
      audit: world.broker.audit,
      clock: world.clock.now,
      telemetry,
    })
    const fetch = async (request: Request) => {
      if (!request.url.startsWith(orders.audience)) return world.fetch(request)
      const { method, url: target, headers } = request
      const verdict = await verifier.verify('order.read', { method, target, headers })
      return new Response(null, { status: verdict.kind === 'refused' ? verdict.answer().status : 200 })
    }
    const other = world.client('support-bot', { fetch })
    await other.task(task, (open) => open.call('order.read', { resource: 'order:1' }))
    await client.close()
    expect(spans('hallpass.verify')[0]?.attributes).toMatchObject({ 'error.type': 'ledger-unavailable' })
    expect(await series('hallpass.verifications')).toMatchObject([
      { attributes: { 'hallpass.reason': 'ledger-unavailable' }, value: 1 },
    ])
    await world.close()
  })
})
