import { describe, expect, test } from 'vitest'
import { keyPair } from '../../test/holder.ts'
import { claimsOf, identityOf, ORDERS, orders, redeemRequest, rig, START, stock } from '../../test/rig.ts'

async function grantRig() {
  const made = rig({
    apis: [
      { id: 'orders-api', api: orders, identity: identityOf('orders-api') },
      { id: 'stock-api', api: stock, identity: identityOf('stock-api') },
    ],
  })
  const pair = keyPair()
  const task = (await made.open(pair)).body
  const grant = (await made.exchange(pair, task.access_token)).body.access_token
  const ask = (token: string, name: 'orders-api' | 'stock-api' | 'support-bot' = 'orders-api') =>
    made.post('/introspect', { ...made.asClient(name), token }, {})
  return { ...made, pair, task, grant, ask }
}

describe('introspectEndpoint()', () => {
  test('introspectEndpoint() tells the API of a grant what it is', async () => {
    const { ask, grant, task, pair } = await grantRig()
    const { status, headers, body } = await ask(grant)
    expect({ status, cache: headers.get('cache-control') }).toEqual({ status: 200, cache: 'no-store' })
    expect(body).toMatchObject({
      active: true,
      token_type: 'DPoP',
      aud: ORDERS,
      client_id: 'support-bot',
      txn: task.txn,
      exp: START + 30,
      cnf: { jkt: pair.jkt },
      authorization_details: [{ identifier: 'order:123' }],
    })
  })

  test('introspectEndpoint() takes a caller token with its proof', async () => {
    const { caller, grant, send } = await grantRig()
    const { prove } = await import('../../test/holder.ts')
    const { token, pair } = await caller('orders-api')
    const body = new URLSearchParams({ token: grant }).toString()
    const ask = (proof: string) =>
      send('/introspect', {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/x-www-form-urlencoded', authorization: `DPoP ${token}`, dpop: proof },
      })
    const wish = { url: 'https://broker.test/introspect', iat: START, accessToken: token }
    expect((await ask(prove(pair, { ...wish, body }))).body).toMatchObject({ active: true })
    expect(await ask(prove(pair, wish))).toMatchObject({ status: 401, body: { error: 'invalid_dpop_proof' } })
  })

  const inactive: [string, (made: Awaited<ReturnType<typeof grantRig>>) => Promise<string> | string][] = [
    ['rubbish', () => 'rubbish'],
    ['a task token', ({ task }) => task.access_token],
    ['a caller token', async ({ caller }) => (await caller('orders-api')).token],
    ['a grant of another broker', async () => (await grantRig()).grant],
    [
      'an expired grant',
      ({ time, grant }) => {
        time.now += 30
        return grant
      },
    ],
    [
      'a revoked grant',
      async ({ broker, grant }) => {
        await broker.revoke({ kind: 'grant', jti: claimsOf(grant).jti }, 'odd')
        return grant
      },
    ],
    [
      'a grant whose task has ended',
      async ({ ledger, grant, task }) => {
        await ledger.endTask(task.txn, 'completed')
        return grant
      },
    ],
    [
      'a spent grant',
      async ({ ledger, grant, pair }) => {
        await ledger.redeem(redeemRequest(grant, { pair, attempt: 'a' }))
        return grant
      },
    ],
  ]
  test.each(inactive)('introspectEndpoint() says no more than inactive of %s', async (_name, token) => {
    const made = await grantRig()
    const presented = await token(made)
    const { status, body } = await made.ask(presented)
    expect({ status, body }).toEqual({ status: 200, body: { active: false } })
  })

  test('introspectEndpoint() says no more than inactive to another API', async () => {
    const { ask, grant } = await grantRig()
    expect((await ask(grant, 'stock-api')).body).toEqual({ active: false })
  })

  test('introspectEndpoint() refuses agents and nobody', async () => {
    const { ask, grant, post } = await grantRig()
    expect(await ask(grant, 'support-bot')).toMatchObject({ status: 400, body: { error: 'unauthorized_client' } })
    expect(await post('/introspect', { token: grant }, {})).toMatchObject({
      status: 401,
      body: { error: 'invalid_client' },
    })
  })
})
