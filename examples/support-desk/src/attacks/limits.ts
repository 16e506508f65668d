import { randomUUID } from 'node:crypto'
import { inventory, orders } from '../catalog.ts'
import type { Check } from '../desk/steps.ts'
import { call, told } from './send.ts'
import type { Answer, Workload } from './workload.ts'

const tally = (answers: readonly Answer[]): string => {
  const counts = new Map<string, number>()
  for (const answer of answers) counts.set(told(answer), (counts.get(told(answer)) ?? 0) + 1)
  return [...counts]
    .map(([what, n]) => `${n} x ${what}`)
    .sort()
    .join(', ')
}
const runsOf = async (origin: string, what: string): Promise<number> =>
  ((await (await fetch(`${origin}/runs`)).json()) as Record<string, number>)[what] ?? 0

/** Counting: the last use, fifty at once, retries that are no new use, and totals. */
export const attackLimits = async (check: Check, bot: Workload): Promise<void> => {
  const origin = bot.setup.inventory
  const task = await bot.task('support-ticket')
  const reserve = { audience: inventory.audience, action: 'stock.reserve', parameters: { quantity: '1' } }
  const shot = (sku: string, token: string, headers = {}) =>
    call(bot.key, {
      method: 'POST',
      origin,
      path: `/stock/${sku}/reservations`,
      token,
      body: '{"quantity":"1"}',
      headers,
    })
  const fifty = <T>(run: () => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: 50 }, run))

  await check('one-use-too-many', '201 201 201 401 grant-exhausted', async () => {
    const token = await bot.grant(task, { ...reserve, resource: 'stock:cup' })
    const answers: string[] = []
    for (let n = 0; n < 4; n++) answers.push(told(await shot('cup', token)))
    return answers.join(' ')
  })
  await check('fifty-at-once-for-the-last-use', '1 x 201, 49 x 401 grant-exhausted; handler ran 3 times', async () => {
    const token = await bot.grant(task, { ...reserve, resource: 'stock:plate' })
    await shot('plate', token)
    await shot('plate', token)
    const answers = await fifty(() => shot('plate', token))
    return `${tally(answers)}; handler ran ${await runsOf(origin, 'reserve stock:plate')} times`
  })
  await check('fifty-with-one-idempotency-key', 'handler ran 1 time; every 201 says the same', async () => {
    const token = await bot.grant(task, { ...reserve, resource: 'stock:bowl' })
    const headers = { 'idempotency-key': `"${randomUUID()}"` }
    const answers = await fifty(() => shot('bowl', token, headers))
    const bodies = new Set(answers.filter((a) => a.status === 201).map((a) => JSON.stringify(a.body)))
    const others = answers.filter((a) => a.status !== 201 && a.status !== 409)
    const ran = await runsOf(origin, 'reserve stock:bowl')
    return `handler ran ${ran} time; ${bodies.size === 1 && others.length === 0 ? 'every 201 says the same' : tally(answers)}`
  })
  await check('same-key-other-request', '201 then 422 idempotency-conflict', async () => {
    const token = await bot.grant(task, { ...reserve, resource: 'stock:fork' })
    const headers = { 'idempotency-key': `"${randomUUID()}"` }
    const first = told(await shot('fork', token, headers))
    const other = { method: 'POST', origin, path: '/stock/fork/reservations', token, body: '{"quantity":"2"}', headers }
    return `${first} then ${told(await call(bot.key, other))}`
  })
  const refund = { audience: orders.audience, action: 'refund.create', parameters: { amount: '45.00', reason: 'late' } }
  const spend = async (order: string, token: string): Promise<string> => {
    const shot = { method: 'POST', origin: bot.setup.orders, path: `/orders/${order}/refund`, token }
    return told(await call(bot.key, { ...shot, body: JSON.stringify(refund.parameters) }))
  }
  await check('totals-exceeded-by-two-grants', '201 then 401 grant-exhausted', async () => {
    const first = await bot.grant(task, { ...refund, resource: 'order:2001' })
    const second = await bot.grant(task, { ...refund, resource: 'order:2002' })
    return `${await spend('2001', first)} then ${await spend('2002', second)}`
  })
  await check('asking-beyond-the-total', '400 access_denied', async () =>
    told(await bot.ask(task, { ...refund, resource: 'order:2003' })),
  )
}
