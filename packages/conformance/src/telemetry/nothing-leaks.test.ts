import { describe, expect, test } from 'vitest'
import { orders } from './orders.ts'
import { recorded } from './recorded.ts'
import { refund, stage, task } from './stage.ts'

describe('what leaves the process', () => {
  test('holds no token, proof, key, assertion, parameter value, note or resource', async () => {
    const { telemetry, everything, spans } = recorded()
    const { world, client, sent } = stage(telemetry)
    await client.task({ ...task, note: 'NOTE-CANARY' }, async (open) => {
      await open.call('refund.create', refund)
      await open.call('refund.create', { ...refund, callId: 'call-2', parameters: { amount: '50.01' } })
      return open.call('order.read', { resource: 'order:RESOURCE-CANARY' })
    })
    const wire = world.wire('support-bot')
    const { access_token: token } = (await wire.open(task.purpose, { note: 'NOTE-CANARY' })).body as {
      access_token: string
    }
    for (const action of ['ACTION-CANARY', token, 'refund.create']) {
      await wire.exchange(token, {
        audience: 'https://AUDIENCE-CANARY.test',
        action,
        resource: 'order:RESOURCE-CANARY',
      })
      await wire.exchange(token, { audience: orders.audience, action, resource: 'order:RESOURCE-CANARY' })
    }
    await wire.open('PURPOSE-CANARY')
    for (const headers of [{ authorization: `DPoP ${token}`, dpop: token }, { authorization: token }]) {
      await world.fetch(`${orders.audience}/orders/RESOURCE-CANARY`, { headers })
    }
    await world.broker.revoke({ kind: 'task', txn: 'tsk_TARGET-CANARY' }, 'REASON-CANARY')
    const secrets = new Set([token])
    for (const request of sent) {
      for (const name of ['authorization', 'dpop'])
        secrets.add(request.headers.get(name)?.replace('DPoP ', '') ?? token)
      const form = new URLSearchParams(await request.text())
      for (const name of ['client_assertion', 'subject_token', 'token']) secrets.add(form.get(name) ?? token)
    }
    expect(secrets.size).toBeGreaterThan(8)
    expect(spans().length).toBeGreaterThan(15)
    const told = await everything()
    expect(told).toContain('hallpass.verify.duration')
    for (const secret of secrets) {
      expect(told).not.toContain(secret)
      expect(told).not.toContain(secret.split('.').at(-1))
    }
    expect(told).not.toMatch(/CANARY|42\.17|50\.01|order:/)
    await world.close()
  })

  test('splits no metric by what an agent chose', { timeout: 60_000 }, async () => {
    const { telemetry, series } = recorded()
    const { world } = stage(telemetry)
    const wire = world.wire('support-bot')
    const { access_token: token } = (await wire.open(task.purpose)).body as { access_token: string }
    const count = async () => (await series()).length
    const ask = async (name: string) => {
      await wire.exchange(token, {
        audience: `https://${name}.test`,
        action: name,
        resource: `order:${name}`,
        form: { call_id: name },
      })
      await wire.open(name)
      await world.fetch(`${world.issuer}/token`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: `client_id=${name}`,
      })
    }
    // Enough of them that triggers fire; from then on there is nothing left that they could add.
    const asked = async (from: number) => {
      for (let n = from; n < from + 25; n += 1) await ask(`n${n}`)
      world.clock.advance(61)
      await ask(`n${from}`)
      return count()
    }
    await asked(0)
    const before = await asked(25)
    expect(await asked(50)).toBe(before)
    expect(JSON.stringify(await series())).not.toMatch(/"n\d|tsk_|gr_|ev_/)
    await world.close()
  })
})
