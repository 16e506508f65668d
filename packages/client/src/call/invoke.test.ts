import { describe, expect, test } from 'vitest'
import { desk, guardedReport, task } from '../../test/desk.ts'

const report = { resource: 'report:daily', parameters: { text: 'all is well' } } as const

describe('task.invoke()', () => {
  test('task.invoke() calls a guarded function of this process, on record', async () => {
    const { client, world, recorded } = desk()
    const outcome = await client.task(task, (task) => task.invoke(guardedReport(world), report))
    expect(outcome).toMatchObject({ ok: true, value: 'wrote: all is well', grant: { action: 'report.write' } })
    expect(await recorded()).toEqual(expect.arrayContaining(['use.started report.write', 'use.ended report.write']))
  })

  test('task.invoke() runs the function once per call id', async () => {
    const { client, world } = desk()
    let runs = 0
    const outcomes = await client.task(task, async (task) => {
      const guarded = guardedReport(world, () => (runs += 1))
      const first = await task.invoke(guarded, { ...report, callId: 'call-1' })
      return [first, await task.invoke(guarded, { ...report, callId: 'call-1' })]
    })
    expect(outcomes).toMatchObject([{ ok: true }, { ok: false, reason: 'idempotency-done' }])
    expect(runs).toBe(1)
  })

  test('task.invoke() refuses parameters that do not fit, and runs nothing', async () => {
    const { client, world } = desk()
    let runs = 0
    const outcome = await client.task(task, (task) =>
      task.invoke(
        guardedReport(world, () => (runs += 1)),
        { ...report, parameters: { text: 7 as unknown as string } },
      ),
    )
    expect(outcome).toMatchObject({ ok: false, reason: 'parameters-invalid' })
    expect(runs).toBe(0)
  })

  test('task.invoke() throws what the function throws', async () => {
    const { client, world } = desk()
    const guarded = guardedReport(world, () => {
      throw new Error('disk full')
    })
    await expect(client.task(task, (task) => task.invoke(guarded, report))).rejects.toThrow('disk full')
  })

  test.each<[string, object]>([
    ['an action with a route', { action: 'refund.create' }],
    ['another place', { url: 'https://orders.test/orders/1/refund' }],
    ['a place on another host', { url: 'https://evil.test/.well-known/hallpass/local/report.write' }],
    ['another audience', { audience: 'https://stock.test/v1' }],
  ])('task.invoke() makes no proof for %s', async (_name, members) => {
    const { client } = desk()
    let asked = 0
    const guarded = {
      action: 'report.write',
      audience: 'https://orders.test',
      url: 'https://orders.test/.well-known/hallpass/local/report.write',
      call: async () => ({ ok: true, value: (asked += 1), event: 'ev_1' }),
      ...members,
    } as unknown as ReturnType<typeof guardedReport>
    const input = 'action' in members ? { resource: 'order:1', parameters: { amount: '1.00' } } : report
    const running = client.task(task, (task) => task.invoke(guarded, input as unknown as typeof report))
    await expect(running).rejects.toThrow(expect.objectContaining({ code: 'configuration-invalid' }))
    expect(asked).toBe(0)
  })
})
