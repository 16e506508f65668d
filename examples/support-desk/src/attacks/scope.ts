import { inventory, orders } from '../catalog.ts'
import type { Check } from '../desk/steps.ts'
import { call, send, told } from './send.ts'
import { makeProof, type Workload } from './workload.ts'

const refund = (amount = '20.00') => ({
  audience: orders.audience,
  action: 'refund.create',
  resource: 'order:1001',
  parameters: { amount, reason: 'damaged' },
})
const body = JSON.stringify({ amount: '20.00', reason: 'damaged' })

/** The grant is good; what is done with it is something else. None of these spends the grant: the last call proves it. */
export const attackScope = async (check: Check, bot: Workload): Promise<void> => {
  const origin = bot.setup.orders
  const task = await bot.task('support-ticket')
  const token = await bot.grant(task, refund())
  const post = (path: string, sent: string, proof = {}) =>
    call(bot.key, { method: 'POST', origin, path, token, body: sent }, proof).then(told)
  const path = '/orders/1001/refund'

  await check('other-action', '403 not-granted', () =>
    call(bot.key, { method: 'GET', origin, path: '/orders/1001', token }).then(told),
  )
  await check('other-order', '403 not-granted', () => post('/orders/1002/refund', body))
  await check('changed-amount', '403 not-granted', () => post(path, '{"amount":"45.00","reason":"damaged"}'))
  await check('amount-moved-to-the-query', '400 request-malformed', () =>
    post(`${path}?amount=20.00`, '{"reason":"damaged"}'),
  )
  await check('amount-in-query-and-body', '400 request-malformed', () => post(`${path}?amount=45.00`, body))
  await check('body-changed-after-signing', '401 proof-invalid', async () =>
    told(
      await send({
        method: 'POST',
        origin,
        path,
        token,
        body: '{"amount":"49.00","reason":"damaged"}',
        proof: await makeProof(bot.key, { method: 'POST', url: `${origin}${path}`, token, body }),
      }),
    ),
  )
  await check('extra-parameter', '400 request-malformed', () =>
    post(path, '{"amount":"20.00","reason":"damaged","to":"me"}'),
  )
  await check('negative-amount', '403 not-granted', () => post(path, '{"amount":"-20.00","reason":"damaged"}'))
  await check('amount-as-number', '403 not-granted', () => post(path, '{"amount":20,"reason":"damaged"}'))
  await check('duplicate-member', '400 request-malformed', () =>
    post(path, '{"amount":"20.00","amount":"49.00","reason":"damaged"}'),
  )
  await check('wrong-audience', '401 grant-invalid', () =>
    call(bot.key, { method: 'GET', origin: bot.setup.inventory, path: '/stock/mug', token }).then(told),
  )
  await check('wrong-method-in-proof', '401 proof-invalid', () => post(path, body, { method: 'GET' }))
  await check('wrong-url-in-proof', '401 proof-invalid', () =>
    post(path, body, { url: `${origin}/orders/1002/refund` }),
  )
  await check('proof-for-another-host', '401 proof-invalid', async () =>
    told(
      await send({
        method: 'POST',
        origin,
        path,
        token,
        body,
        headers: { host: 'evil.example' },
        proof: await makeProof(bot.key, { method: 'POST', url: `http://evil.example${path}`, token, body }),
      }),
    ),
  )
  await check('absolute-form-request-line', '401 proof-invalid', async () =>
    told(
      await send({
        method: 'POST',
        origin,
        path,
        target: `http://evil.example${path}`,
        token,
        body,
        proof: await makeProof(bot.key, { method: 'POST', url: `http://evil.example${path}`, token, body }),
      }),
    ),
  )
  await check('and-the-honest-call-still-works', '201', () => post(path, body))
  await check('negative-amount-asked', '400 invalid_authorization_details', async () =>
    told(await bot.ask(task, refund('-5.00'))),
  )
  await check('approval-needed', '400 access_denied', async () => told(await bot.ask(task, refund('50.01'))))
  await check('constraint-passed-over', '403 not-granted', async () => {
    const reserve = { audience: inventory.audience, action: 'stock.reserve', resource: 'stock:mug' }
    const stock = await bot.grant(task, { ...reserve, parameters: { quantity: '2' } })
    const shot = { method: 'POST', origin: bot.setup.inventory, path: '/stock/mug/reservations', token: stock }
    return told(await call(bot.key, { ...shot, body: '{"quantity":"6"}' }))
  })
}
