import { memoryTrail, type Ledger } from '@hallpass/core'
import { describe, expect, test } from 'vitest'
import { keyPair } from '../../test/holder.ts'
import { ISSUER, rig } from '../../test/rig.ts'
import { generateSigner } from '../token/signer.ts'
import { signingKeys } from '../token/signing-keys.ts'

const FORM = 'application/x-www-form-urlencoded'

describe('createRouter()', () => {
  test('createRouter() publishes metadata that is true', async () => {
    const { send } = rig()
    const { status, headers, body } = await send('/.well-known/oauth-authorization-server')
    expect({ status, type: headers.get('content-type') }).toEqual({ status: 200, type: 'application/json' })
    expect(body).toMatchObject({
      issuer: ISSUER,
      token_endpoint: `${ISSUER}/token`,
      dpop_signing_alg_values_supported: ['ES256'],
      authorization_details_types_supported: ['urn:hallpass:task', 'urn:hallpass:tool-call'],
    })
    const endpoints = ['jwks_uri', 'status_list_aggregation_endpoint'].map(
      (name) => new URL(String(body[name])).pathname,
    )
    for (const path of endpoints) expect((await send(path)).status).toBe(200)
    const posts = ['token_endpoint', 'revocation_endpoint', 'introspection_endpoint'].map(
      (name) => new URL(String(body[name])).pathname,
    )
    for (const path of posts) expect((await send(path)).status).toBe(405)
  })

  test('createRouter() publishes public keys only', async () => {
    const { send, broker } = rig()
    const { headers, body } = await send('/jwks')
    expect(headers.get('content-type')).toBe('application/jwk-set+json')
    expect(body).toEqual(JSON.parse(JSON.stringify(broker.jwks())))
    expect(JSON.stringify(body)).not.toMatch(/"d":/)
  })

  test('createRouter() serves an issuer with a path, its metadata where RFC 8414 wants it', async () => {
    const issuer = 'https://broker.test/tenant/a'
    const { policy, identityOf } = await import('../../test/rig.ts')
    const agents = Object.fromEntries(
      Object.entries(policy.agents).map(([id, agent]) => [
        id,
        { ...agent, identity: { ...agent.identity, audience: issuer } },
      ]),
    )
    const operators = [{ id: 'root', identity: { ...identityOf('root'), audience: issuer } }]
    const { send } = rig({ issuer, policy: { ...policy, agents }, apis: [], operators })
    expect((await send('/.well-known/oauth-authorization-server/tenant/a')).body).toMatchObject({
      issuer,
      jwks_uri: `${issuer}/jwks`,
    })
    expect((await send('/tenant/a/jwks')).status).toBe(200)
    for (const path of ['/jwks', '/tenant/ab/jwks', '/.well-known/oauth-authorization-server'])
      expect((await send(path)).status).toBe(404)
  })

  const routes: [name: string, path: string, method: string, status: number][] = [
    ['an unknown path', '/nowhere', 'GET', 404],
    ['a name of Object.prototype', '/constructor', 'POST', 404],
    ['an empty path', '/', 'GET', 404],
    ['a GET of an endpoint', '/token', 'GET', 405],
    ['a PUT of a document', '/jwks', 'PUT', 405],
    ['an unknown status list', '/status/..%2f..', 'GET', 404],
  ]
  test.each(routes)('createRouter() answers %s', async (...[, path, method, status]) => {
    const { send } = rig()
    const answer = await send(path, { method })
    expect(answer.status).toBe(status)
    expect(answer.body.event).toMatch(/^ev_/)
  })

  test('createRouter() answers HEAD without a body', async () => {
    const { broker } = rig()
    const response = await broker.fetch(new Request(`${ISSUER}/jwks`, { method: 'HEAD' }))
    expect({ status: response.status, body: await response.text() }).toEqual({ status: 200, body: '' })
  })

  const requests: [string, RequestInit, string][] = [
    ['JSON at a form endpoint', { body: '{}', headers: { 'content-type': 'application/json' } }, '/token'],
    ['a form at a JSON endpoint', { body: 'a=b', headers: { 'content-type': FORM } }, '/redeem'],
    ['no content type', { body: new Blob(['a=b']) }, '/token'],
    ['a body above the limit', { body: `a=${'x'.repeat(70_000)}`, headers: { 'content-type': FORM } }, '/token'],
    ['a compressed body', { body: 'a=b', headers: { 'content-type': FORM, 'content-encoding': 'gzip' } }, '/token'],
    [
      'parameters in the query',
      { body: 'a=b', headers: { 'content-type': FORM } },
      '/token?grant_type=client_credentials',
    ],
    ['a repeated parameter', { body: 'a=b&a=c', headers: { 'content-type': FORM } }, '/token'],
    ['a body that is not UTF-8', { body: new Uint8Array([0xff]), headers: { 'content-type': FORM } }, '/token'],
    ['a header without end', { body: 'a=b', headers: { 'content-type': FORM, dpop: 'x'.repeat(20_000) } }, '/token'],
  ]
  test.each(requests)('createRouter() refuses %s', async (_name, init, path) => {
    const { send } = rig()
    const { status, headers, body } = await send(path, { method: 'POST', ...init })
    expect({ status, body }).toMatchObject({ status: 400, body: { error: 'invalid_request' } })
    expect(headers.get('cache-control')).toBe('no-store')
    expect(body).not.toHaveProperty('reason')
  })

  test('createRouter() takes the host from its configuration, never from the request', async () => {
    const { broker, taskForm, time } = rig()
    const { prove } = await import('../../test/holder.ts')
    const request = (url: string) =>
      new Request('https://evil.test/token', {
        method: 'POST',
        body: new URLSearchParams(taskForm()).toString(),
        headers: {
          'content-type': FORM,
          'x-forwarded-host': 'evil.test',
          dpop: prove(keyPair(), { url, iat: time.now }),
        },
      })
    expect((await broker.fetch(request('https://evil.test/token'))).status).toBe(400)
    expect((await broker.fetch(request(`${ISSUER}/token`))).status).toBe(200)
  })
})

describe('createReadiness()', () => {
  test('createReadiness() is ready when ledger, trail and keys answer', async () => {
    const { send } = rig()
    expect(await send('/readyz')).toMatchObject({
      status: 200,
      body: { ready: true, ledger: true, trail: true, keys: true },
    })
    expect((await send('/healthz')).status).toBe(200)
  })

  const trail = memoryTrail()
  const rubbish = { ...generateSigner(), sign: () => new Uint8Array(64) }
  test.each([
    [
      'the ledger',
      { wrapLedger: (ledger: Ledger): Ledger => ({ ...ledger, now: () => Promise.reject(new Error('gone')) }) },
      'ledger',
    ],
    ['the trail', { audit: { ...trail, flush: () => Promise.reject(new Error('full')) } }, 'trail'],
    ['the key', { keys: signingKeys({ current: rubbish }) }, 'keys'],
  ])('createReadiness() is not ready when %s does not answer', async (_name, options, part) => {
    const { send } = rig(options)
    expect(await send('/readyz')).toMatchObject({ status: 503, body: { ready: false, [part]: false } })
    expect((await send('/healthz')).status).toBe(200)
  })

  test('createReadiness() asks the key once a second, however often it is asked', async () => {
    let signed = 0
    const signer = generateSigner()
    const counting = {
      ...signer,
      sign: (data: Uint8Array) => {
        signed += 1
        return signer.sign(data)
      },
    }
    const { send, time } = rig({ keys: signingKeys({ current: counting }) })
    await Promise.all(Array.from({ length: 20 }, () => send('/readyz')))
    expect(signed).toBe(1)
    time.now += 1
    await send('/readyz')
    expect(signed).toBe(2)
  })
})
