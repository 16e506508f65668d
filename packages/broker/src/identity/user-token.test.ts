import { describe, expect, test } from 'vitest'
import { jws, keyPair } from '../../test/holder.ts'
import { claimsOf, ISSUER, rig, START } from '../../test/rig.ts'

const USERS = 'https://login.test'
const ID_TOKEN = 'urn:ietf:params:oauth:token-type:id_token'
const userKey = keyPair()
const users = [
  { issuer: USERS, audience: 'support-app', tenantClaim: 'tid', jwks: { keys: [{ ...userKey.publicJwk, kid: 'u1' }] } },
]
const claims = { iss: USERS, sub: 'user-7', aud: 'support-app', iat: START - 10, exp: START + 600, tid: 'acme' }
const userToken = (change: object = {}, header: object = {}) =>
  jws({ alg: 'ES256', kid: 'u1', typ: 'JWT', ...header }, { ...claims, ...change }, userKey.privateKey)

function openFor(token: string, wish: { type?: string; options?: Parameters<typeof rig>[0] } = {}) {
  const { type = ID_TOKEN, options = { users } } = wish
  const made = rig(options)
  const pair = keyPair()
  const form = { ...made.taskForm(), subject_token: token, subject_token_type: type }
  return { ...made, pair, answer: made.post('/token', form, pair) }
}

describe('createUserIssuers()', () => {
  test('createUserIssuers() carries user and tenant from the token into task, grant and trail', async () => {
    const { answer, exchange, pair, ledger, events } = openFor(userToken())
    const { status, body } = await answer
    expect(status).toBe(200)
    const user = { iss: USERS, sub: 'user-7', tenant: 'acme' }
    expect(await ledger.task(body.txn)).toMatchObject({ onBehalfOf: user })
    const grant = await exchange(pair, body.access_token)
    expect(claimsOf(grant.body.access_token)).toMatchObject({
      sub: 'user-7',
      client_id: 'support-bot',
      act: { sub: 'support-bot', iss: ISSUER },
      'urn:hallpass:on-behalf-of': user,
    })
    expect(await events('grant.issued')).toMatchObject([{ sub: 'user-7', client_id: 'support-bot' }])
  })

  test('createUserIssuers() takes a token that names this agent in may_act', async () => {
    expect((await openFor(userToken({ may_act: { sub: 'support-bot' } })).answer).status).toBe(200)
  })

  test.each([
    ['an unknown issuer', userToken({ iss: 'https://evil.test' })],
    ['another audience', userToken({ aud: 'other-app' })],
    ['a second audience', userToken({ aud: ['support-app', 'other-app'] })],
    ['an expired token', userToken({ exp: START })],
    ['a token from the future', userToken({ iat: START + 60 })],
    ['no subject', userToken({ sub: undefined })],
    ['a user with the agent’s name', userToken({ sub: 'support-bot' })],
    ['no tenant', userToken({ tid: undefined })],
    ['a tenant that is no text', userToken({ tid: ['acme'] })],
    ['a token bound to a key', userToken({ cnf: { jkt: 'x' } })],
    ['somebody else in may_act', userToken({ may_act: { sub: 'other-bot' } })],
    ['may_act that names nobody', userToken({ may_act: null })],
    ['a signature by another key', jws({ alg: 'ES256', kid: 'u1' }, claims, keyPair().privateKey)],
    ['an unknown key', userToken({}, { kid: 'u2' })],
    ['another typ', userToken({}, { typ: 'at+jwt' })],
    ['a key in the header', userToken({}, { jwk: userKey.publicJwk })],
    ['rubbish', 'rubbish'],
  ])('createUserIssuers() refuses %s', async (_name, token) => {
    const { answer, events } = openFor(token)
    expect(await answer).toMatchObject({
      status: 400,
      body: { error: 'invalid_request', reason: 'subject-token-invalid' },
    })
    expect(await events('task.opened')).toEqual([])
  })

  test('createUserIssuers() refuses an unknown token type and a broker without user issuers', async () => {
    expect(await openFor(userToken(), { type: 'urn:ietf:params:oauth:token-type:saml2' }).answer).toMatchObject({
      body: { reason: 'subject-token-invalid' },
    })
    expect(await openFor(userToken(), { options: {} }).answer).toMatchObject({
      body: { reason: 'subject-token-invalid' },
    })
  })

  test('createUserIssuers() never lets a renewal change the user', async () => {
    const { answer, post, asClient, pair } = openFor(userToken())
    const { body } = await answer
    const renewal = {
      ...asClient('support-bot'),
      grant_type: 'client_credentials',
      resource: ISSUER,
      authorization_details: JSON.stringify([{ type: 'urn:hallpass:task', txn: body.txn }]),
      subject_token: userToken({ sub: 'admin' }),
      subject_token_type: ID_TOKEN,
    }
    const renewed = await post('/token', renewal, pair)
    expect(renewed).toMatchObject({ status: 400, body: { error: 'invalid_request' } })
  })

  test.each([
    ['an issuer without audience', [{ issuer: USERS, audience: '' }]],
    ['this broker', [{ issuer: ISSUER, audience: 'a' }]],
    ['one issuer twice', [...users, ...users]],
  ])('createUserIssuers() refuses to be configured with %s', (_name, wrong) => {
    expect(() => rig({ users: wrong })).toThrow(expect.objectContaining({ code: 'configuration-invalid' }) as Error)
  })
})
