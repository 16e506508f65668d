import type { JWK } from 'jose'
import { decodeJwt } from 'jose'
import { setTimeout as sleep } from 'node:timers/promises'
import { orders } from '../catalog.ts'
import type { Check } from '../desk/steps.ts'
import { call, told } from './send.ts'
import { operatorRevoke, type Workload } from './workload.ts'

const read = { audience: orders.audience, action: 'order.read', resource: 'order:1001' }

interface Cast {
  readonly bot: Workload
  readonly night: Workload
  readonly operator: JWK
}

/** Dead is dead: expiry, completion, and revocation of a grant, a task and an agent. */
export const attackEndings = async (check: Check, { bot, night, operator }: Cast): Promise<void> => {
  const get = (who: Workload, token: string) =>
    call(who.key, { method: 'GET', origin: who.setup.orders, path: '/orders/1001', token }).then(told)
  const stop = (target: Record<string, unknown>) => operatorRevoke(bot.setup, operator, target)

  await check('after-expiry', '401 grant-invalid', async () => {
    const task = await bot.task('expiry-drill')
    const token = await bot.grant(task, read)
    await sleep(2100)
    return get(bot, token)
  })
  await check('after-completion', '200 then 401 task-closed', async () => {
    const task = await bot.task('support-ticket')
    const token = await bot.grant(task, read)
    const before = await get(bot, token)
    await bot.revoke(task, 'completed')
    return `${before} then ${await get(bot, token)}`
  })
  await check('asking-after-completion', '400 invalid_request', async () => {
    const task = await bot.task('support-ticket')
    await bot.revoke(task, 'completed')
    return told(await bot.ask(task, read))
  })
  await check('after-grant-revocation', '200 then 401 grant-revoked', async () => {
    const token = await bot.grant(await bot.task('support-ticket'), read)
    const before = await get(bot, token)
    await stop({ kind: 'grant', jti: decodeJwt(token).jti })
    return `${before} then ${await get(bot, token)}`
  })
  await check('after-task-revocation', '200 then 401 grant-revoked', async () => {
    const token = await bot.grant(await bot.task('support-ticket'), read)
    const before = await get(bot, token)
    await stop({ kind: 'task', txn: decodeJwt(token)['txn'] })
    return `${before} then ${await get(bot, token)}`
  })
  await check('after-agent-revocation', '200 then 401 grant-revoked, new task: 400 access_denied', async () => {
    const token = await night.grant(await night.task('support-ticket'), read)
    const before = await get(night, token)
    await stop({ kind: 'agent', clientId: 'night-bot' })
    const after = await get(night, token)
    return `${before} then ${after}, new task: ${told(await night.open('support-ticket'))}`
  })
}
