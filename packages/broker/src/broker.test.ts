import { describe, expect, test } from 'vitest'
import { keyPair } from '../test/holder.ts'
import { claimsOf, ISSUER, ORDERS, rig, START } from '../test/rig.ts'

describe('createBroker() opens tasks and issues grants', () => {
  test('createBroker() answers an opened task with a token bound to the proven key', async () => {
    const { open, events } = rig()
    const pair = keyPair()
    const { status, headers, body } = await open(pair, { note: '#9917' })
    expect(body).toMatchObject({ token_type: 'DPoP', expires_in: 600, cnf: { jkt: pair.jkt } })
    expect(status).toBe(200)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(claimsOf(body.access_token)).toMatchObject({
      iss: ISSUER,
      aud: ISSUER,
      sub: 'support-bot',
      client_id: 'support-bot',
      txn: body.txn,
      cnf: { jkt: pair.jkt },
      exp: START + 600,
    })
    expect(await events('task.opened')).toMatchObject([
      { txn: body.txn, note: '#9917', owner: 'team:support', jkt: pair.jkt },
    ])
  })

  test('createBroker() answers an exchange with a grant for exactly this call', async () => {
    const { open, exchange, events, ledger } = rig()
    const pair = keyPair()
    const task = await open(pair)
    const { status, body } = await exchange(pair, task.body.access_token)
    expect(body).toMatchObject({ token_type: 'DPoP', expires_in: 30, cnf: { jkt: pair.jkt } })
    expect(status).toBe(200)
    const claims = claimsOf(body.access_token)
    expect(claims).toMatchObject({
      iss: ISSUER,
      aud: ORDERS,
      sub: 'support-bot',
      txn: task.body.txn,
      exp: START + 30,
    })
    expect(claims['authorization_details']).toEqual(body['authorization_details'])
    expect(await ledger.grant(claims.jti)).toMatchObject({ usesLeft: 1, audience: ORDERS })
    expect(await events('grant.issued')).toMatchObject([
      { jti: claims.jti, rule: 'small-refund', owner: 'team:support' },
    ])
  })
})
