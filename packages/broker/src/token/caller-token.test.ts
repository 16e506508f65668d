import { describe, expect, test } from 'vitest'
import { jws, keyPair, prove } from '../../test/holder.ts'
import { claimsOf, identityOf, ISSUER, orders, rig, START } from '../../test/rig.ts'
import { generateSigningKeys } from './signing-keys.ts'

const NO_CALLS = JSON.stringify({ calls: [] })

describe('callerToken()', () => {
  test('callerToken() gives an API a bound token that says which audience it speaks for', async () => {
    const { caller } = rig()
    const { answer, token, pair } = await caller('orders-api')
    expect(answer.body).toMatchObject({ token_type: 'DPoP', expires_in: 300, cnf: { jkt: pair.jkt } })
    expect(claimsOf(token)).toMatchObject({
      aud: ISSUER,
      sub: 'orders-api',
      cnf: { jkt: pair.jkt },
      authorization_details: [{ type: 'urn:hallpass:api', locations: ['https://orders.test'] }],
    })
  })

  test('callerToken() gives an agent none', async () => {
    const { caller } = rig()
    expect((await caller('support-bot')).answer).toMatchObject({
      status: 400,
      body: { error: 'invalid_authorization_details' },
    })
  })
})

describe('recogniseCaller()', () => {
  test('recogniseCaller() takes a fresh proof over method, URL, token and body', async () => {
    const { caller } = rig()
    const { json } = await caller('orders-api')
    expect(await json('/redeem', NO_CALLS)).toMatchObject({ status: 200, body: { answers: [] } })
    expect(await json('/redeem', NO_CALLS)).toMatchObject({ status: 200 })
  })

  const wish = (token: string) => ({ url: `${ISSUER}/redeem`, iat: START, accessToken: token, body: NO_CALLS })
  type Caller = Awaited<ReturnType<ReturnType<typeof rig>['caller']>>
  const proofs: [string, (caller: Caller) => string][] = [
    ['no body digest', ({ pair, token }) => prove(pair, { ...wish(token), body: undefined })],
    ['another body', ({ pair, token }) => prove(pair, { ...wish(token), body: '{}' })],
    ['no token', ({ pair }) => prove(pair, { url: `${ISSUER}/redeem`, iat: START, body: NO_CALLS })],
    ['another token', ({ pair }) => prove(pair, wish('other'))],
    ['another endpoint', ({ pair, token }) => prove(pair, { ...wish(token), url: `${ISSUER}/audit` })],
    ['another key', ({ token }) => prove(keyPair(), wish(token))],
  ]
  test.each(proofs)('recogniseCaller() refuses a proof with %s', async (_name, proof) => {
    const { caller } = rig()
    const made = await caller('orders-api')
    const { status, headers, body } = await made.json('/redeem', NO_CALLS, { proof: proof(made) })
    expect({ status, body }).toMatchObject({ status: 401, body: { error: 'invalid_dpop_proof' } })
    expect(headers.get('www-authenticate')).toContain('DPoP error="invalid_dpop_proof"')
    expect(body).not.toHaveProperty('reason')
  })

  test('recogniseCaller() takes each proof once', async () => {
    const { caller } = rig()
    const { json, pair, token } = await caller('orders-api')
    const proof = prove(pair, wish(token))
    expect((await json('/redeem', NO_CALLS, { proof })).status).toBe(200)
    expect((await json('/redeem', NO_CALLS, { proof })).status).toBe(401)
  })

  test('recogniseCaller() refuses what is expired, foreign, forged or of another kind', async () => {
    const made = rig()
    const { json, token, pair } = await made.caller('orders-api')
    const task = (await made.open(pair)).body.access_token
    const forged = jws(
      { typ: 'at+jwt', alg: 'ES256', kid: made.broker.jwks().keys[0]?.kid },
      claimsOf(token),
      keyPair().privateKey,
    )
    const foreign = (await rig().caller('orders-api', pair)).token
    for (const other of [task, forged, foreign, 'rubbish']) {
      expect(await json('/redeem', NO_CALLS, { token: other })).toMatchObject({
        status: 401,
        body: { error: 'invalid_token' },
      })
    }
    made.time.now += 300
    expect(await json('/redeem', NO_CALLS)).toMatchObject({ status: 401, body: { error: 'invalid_token' } })
  })

  test('recogniseCaller() refuses an API that was struck off since its token was issued', async () => {
    const keys = generateSigningKeys()
    const before = await rig({ keys }).caller('orders-api')
    const after = rig({ keys, apis: [{ id: 'renamed', api: orders, identity: identityOf('orders-api') }] })
    const proof = prove(before.pair, wish(before.token))
    const init = {
      method: 'POST',
      body: NO_CALLS,
      headers: { 'content-type': 'application/json', authorization: `DPoP ${before.token}`, dpop: proof },
    }
    expect(await after.send('/redeem', init)).toMatchObject({ status: 401, body: { error: 'invalid_token' } })
  })

  test('recogniseCaller() takes no bearer token', async () => {
    const made = rig()
    const { token } = await made.caller('orders-api')
    const init = {
      method: 'POST',
      body: NO_CALLS,
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    }
    expect(await made.send('/redeem', init)).toMatchObject({ status: 401 })
  })
})
