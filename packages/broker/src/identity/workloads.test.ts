import { oidc, spiffe, type Jwk, type WorkloadIdentity } from '@hallpass/core'
import { describe, expect, test } from 'vitest'
import { jws, keyPair } from '../../test/holder.ts'
import { claimsOf, ISSUER, policy, rig, START } from '../../test/rig.ts'

const CI = 'https://ci.test'
const BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const SPIFFE = 'urn:ietf:params:oauth:client-assertion-type:jwt-spiffe'

/** A policy whose agent is this workload. */
function policyFor(identity: WorkloadIdentity): typeof policy {
  const agent = { ...policy.agents['support-bot'], identity }
  return {
    ...policy,
    agents: { ...policy.agents, 'support-bot': agent },
    agent: (id) => (id === 'support-bot' ? agent : policy.agent(id)),
  }
}

/** An identity provider behind an injected fetch; a test turns its keys and switches it off. */
function provider() {
  const pairs = [keyPair()]
  const state = { isUp: true, use: 'sig', asked: [] as string[] }
  const jwk = (index: number): Jwk => ({ ...pairs.at(index)!.publicJwk, kid: `k${index}`, use: state.use })
  const fetch = async (url: string) => {
    state.asked.push(url)
    if (!state.isUp) throw new Error('connection refused')
    if (url === `${CI}/.well-known/openid-configuration`) return Response.json({ issuer: CI, jwks_uri: `${CI}/keys` })
    return Response.json({ keys: pairs.map((_, index) => jwk(index)) })
  }
  const token = (claims: object, index = pairs.length - 1) =>
    jws(
      { alg: 'ES256', kid: `k${index}`, typ: 'JWT' },
      { iat: START, exp: START + 3600, ...claims },
      pairs.at(index)!.privateKey,
    )
  return { state, fetch, token, rotate: () => pairs.push(keyPair()) }
}

const ciClaims = { iss: CI, sub: 'repo:acme/desk', aud: [ISSUER], ref: 'main' }
const ciIdentity = (more: { keysPerAssertion?: number } = {}) =>
  oidc({ issuer: CI, audience: ISSUER, subject: 'repo:acme/desk', claims: { ref: 'main' }, ...more })

function workloadRig(identity: WorkloadIdentity, fetch: ReturnType<typeof provider>['fetch']) {
  const made = rig({ policy: policyFor(identity), fetch })
  const open = (client_assertion: string, pair = keyPair(), client_assertion_type = BEARER) =>
    made.post('/token', { ...made.taskForm(), client_assertion_type, client_assertion }, pair)
  return { ...made, open }
}

describe('an OIDC workload', () => {
  test('opens tasks by discovery, and its claims reach the task', async () => {
    const { fetch, token, state } = provider()
    const { open, ledger } = workloadRig(ciIdentity(), fetch)
    const { status, body } = await open(token(ciClaims))
    expect(status).toBe(200)
    expect(claimsOf(body.access_token)['urn:hallpass:identity']).toEqual({
      iss: CI,
      sub: 'repo:acme/desk',
      claims: { ref: 'main' },
    })
    expect(await ledger.task(body.txn)).toMatchObject({ identity: { iss: CI, sub: 'repo:acme/desk' } })
    expect(state.asked).toEqual([`${CI}/.well-known/openid-configuration`, `${CI}/keys`])
  })

  test('goes on through a rotation of its issuer’s keys', async () => {
    const { fetch, token, rotate } = provider()
    const { open, time } = workloadRig(ciIdentity(), fetch)
    expect((await open(token(ciClaims))).status).toBe(200)
    rotate()
    time.now += 30
    expect((await open(token(ciClaims))).status).toBe(200)
  })

  test('is answered 503, not 401, while its issuer cannot be asked', async () => {
    const { fetch, token, state } = provider()
    const { open } = workloadRig(ciIdentity(), fetch)
    state.isUp = false
    const { status, headers, body } = await open(token(ciClaims))
    expect({ status, error: body.error, retry: headers.get('retry-after') }).toEqual({
      status: 503,
      error: 'temporarily_unavailable',
      retry: '2',
    })
  })

  test('costs its issuer nothing when somebody presents tokens of other issuers', async () => {
    const { fetch, token, state } = provider()
    const { open } = workloadRig(ciIdentity(), fetch)
    for (const iss of ['https://evil.test', `${CI}/`, 'https://ci.test.evil.test']) {
      expect((await open(token({ ...ciClaims, iss }))).status).toBe(401)
    }
    expect((await open(token({ ...ciClaims, ref: 'evil' }))).status).toBe(401)
    expect(state.asked).toEqual([])
  })

  test('binds as many keys to one assertion as its registration says, each on record', async () => {
    const { fetch, token } = provider()
    const { open, events } = workloadRig(ciIdentity({ keysPerAssertion: 2 }), fetch)
    const shared = token(ciClaims)
    const pairs = [keyPair(), keyPair(), keyPair()]
    const statuses = []
    for (const pair of pairs) statuses.push((await open(shared, pair)).status)
    expect(statuses).toEqual([200, 200, 401])
    expect((await events('task.opened')).map(({ jkt }) => jkt)).toEqual(pairs.slice(0, 2).map(({ jkt }) => jkt))
  })

  test('presents a token bound to a key with that key only', async () => {
    const { fetch, token } = provider()
    const { open } = workloadRig(ciIdentity(), fetch)
    const [own, thief] = [keyPair(), keyPair()]
    const bound = token({ ...ciClaims, cnf: { jkt: own.jkt } })
    expect((await open(bound, thief)).status).toBe(401)
    expect((await open(bound, own)).status).toBe(200)
  })
})

describe('a SPIFFE workload', () => {
  const svid = { sub: 'spiffe://acme.test/desk', aud: ISSUER }
  const identity = spiffe({ id: 'spiffe://acme.test/desk', audience: ISSUER, bundle: 'https://bundle.acme.test/' })

  test('opens tasks by the bundle of its trust domain', async () => {
    const { fetch, state, token } = provider()
    state.use = 'jwt-svid'
    const { open, ledger } = workloadRig(identity, fetch)
    const own = jwsSvid(token)
    const { status, body } = await open(own, keyPair(), SPIFFE)
    expect(status).toBe(200)
    expect(await ledger.task(body.txn)).toMatchObject({
      identity: { iss: 'spiffe://acme.test', sub: 'spiffe://acme.test/desk' },
    })
    expect(state.asked).toEqual(['https://bundle.acme.test/'])
  })

  test('gets nothing by a key that its bundle has for something else', async () => {
    const { fetch, token } = provider()
    const { open } = workloadRig(identity, fetch)
    expect((await open(jwsSvid(token), keyPair(), SPIFFE)).status).toBe(401)
  })

  const jwsSvid = (token: ReturnType<typeof provider>['token']) => token({ ...svid, exp: START + 300 })
})
