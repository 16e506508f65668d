import { createBroker, generateSigningKeys, type BrokerOptions } from '@hallpass/broker'
import { decimal, defineApi, memoryLedger, memoryTrail, privateKeyJwt, type Jwk } from '@hallpass/core'
import { defaultTriggers, definePolicy } from '@hallpass/policy'
import { testKey, type TestKey } from '@hallpass/testing'
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify, type JSONWebKeySet } from 'jose'
import * as oauth from 'oauth4webapi'
import { beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'

const ISSUER = 'https://broker.example'
const ORDERS = 'https://orders.example'
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'

const orders = defineApi({
  audience: ORDERS,
  actions: {
    'refund.create': {
      route: 'POST /orders/{id}/refund',
      resource: 'order:{id}',
      risk: 'write',
      parameters: z.strictObject({ amount: decimal() }),
    },
  },
})

let agentKey: CryptoKey
let apiKey: CryptoKey
let publicKeys: { agent: Jwk; api: Jwk }

// Imported, not generated: on Node 20 the JWK export of a fresh key can wait for itself for ever.
const importPair = async (key: TestKey) => {
  const { alg: _alg, use: _use, ...jwk } = key.privateJwk as JsonWebKey
  const { d: _d, ...bare } = jwk
  const curve = { name: 'ECDSA', namedCurve: 'P-256' }
  return {
    privateKey: await crypto.subtle.importKey('jwk', jwk, curve, false, ['sign']),
    publicKey: await crypto.subtle.importKey('jwk', bare, curve, true, ['verify']),
  }
}

beforeAll(async () => {
  const [agent, api] = [testKey('agent-1'), testKey('api-1')]
  agentKey = (await importPair(agent)).privateKey
  apiKey = (await importPair(api)).privateKey
  publicKeys = { agent: agent.publicJwk, api: api.publicJwk }
})

function brokerWith(options: Partial<BrokerOptions> = {}) {
  const identity = (subject: string, key: Jwk) => privateKeyJwt({ audience: ISSUER, subject, jwks: { keys: [key] } })
  return createBroker({
    issuer: ISSUER,
    ledger: memoryLedger({ exactFor: 'one-process' }),
    keys: generateSigningKeys(),
    audit: memoryTrail(),
    policy: definePolicy({
      api: orders,
      version: '1',
      purposes: ['support-ticket'],
      agents: {
        'support-bot': {
          owner: 'team:support',
          identity: identity('support-bot', publicKeys.agent),
          approvers: ['group:leads'],
          revokeOn: defaultTriggers,
        },
      },
      rules: [
        { id: 'refund', action: 'refund.create', effect: 'permit', when: (r) => r.parameters.amount.lte('50.00') },
      ],
    }),
    apis: [{ id: 'orders-api', audience: ORDERS, identity: identity('orders-api', publicKeys.api) }],
    ...options,
  })
}

/** A standard client: oauth4webapi, told nothing but the issuer. */
async function standardClient(broker: ReturnType<typeof brokerWith>) {
  const fetch = { [oauth.customFetch]: (url: string, init: object) => broker.fetch(new Request(url, init)) }
  const issuer = new URL(ISSUER)
  const as = await oauth.processDiscoveryResponse(
    issuer,
    await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...fetch }),
  )
  const client: oauth.Client = { client_id: 'support-bot' }
  const auth = oauth.PrivateKeyJwt({ key: agentKey, kid: 'agent-1' })
  const keys = await importPair(testKey())
  const DPoP = oauth.DPoP(client, keys)

  const openTask = async () => {
    const parameters = {
      resource: ISSUER,
      authorization_details: JSON.stringify([{ type: 'urn:hallpass:task', purpose: 'support-ticket' }]),
    }
    const response = await oauth.clientCredentialsGrantRequest(as, client, auth, parameters, { DPoP, ...fetch })
    return oauth.processClientCredentialsResponse(as, client, response)
  }
  const grantFor = async (taskToken: string, clientAuth: oauth.ClientAuth = oauth.None()) => {
    const entry = {
      type: 'urn:hallpass:tool-call',
      locations: [ORDERS],
      actions: ['refund.create'],
      identifier: 'order:123',
      parameters: { amount: '42.00' },
    }
    const parameters = {
      resource: ORDERS,
      subject_token: taskToken,
      subject_token_type: ACCESS_TOKEN,
      authorization_details: JSON.stringify([entry]),
    }
    const response = await oauth.genericTokenEndpointRequest(as, client, clientAuth, EXCHANGE, parameters, {
      DPoP,
      ...fetch,
    })
    return oauth.processGenericTokenEndpointResponse(as, client, response)
  }
  return { as, client, auth, DPoP, keys, fetch, openTask, grantFor }
}

describe('standard clients', () => {
  test('oauth4webapi discovers the broker, opens a task and gets a grant', async () => {
    const { openTask, grantFor } = await standardClient(brokerWith())
    const task = await openTask()
    expect(task).toMatchObject({ token_type: 'dpop', authorization_details: [{ type: 'urn:hallpass:task' }] })
    const grant = await grantFor(task.access_token)
    expect(grant).toMatchObject({ token_type: 'dpop', issued_token_type: ACCESS_TOKEN, expires_in: 30 })
  })

  test('oauth4webapi may authenticate its client in the exchange as well', async () => {
    const { auth, openTask, grantFor } = await standardClient(brokerWith())
    const task = await openTask()
    expect(await grantFor(task.access_token, auth)).toMatchObject({ token_type: 'dpop' })
  })

  test('oauth4webapi follows the nonce a broker asks for', async () => {
    const { openTask } = await standardClient(brokerWith({ nonces: true }))
    const refusal = await openTask().catch((error: unknown) => error)
    expect(oauth.isDPoPNonceError(refusal)).toBe(true)
    expect(await openTask()).toMatchObject({ token_type: 'dpop' })
  })

  test('jose takes a grant for an RFC 9068 access token of the published keys', async () => {
    const broker = brokerWith()
    const { openTask, grantFor } = await standardClient(broker)
    const grant = await grantFor((await openTask()).access_token)
    const keys = createLocalJWKSet(broker.jwks() as unknown as JSONWebKeySet)
    const { payload } = await jwtVerify(grant.access_token, keys, {
      issuer: ISSUER,
      audience: ORDERS,
      typ: 'at+jwt',
      algorithms: ['ES256'],
      requiredClaims: ['iss', 'exp', 'aud', 'sub', 'client_id', 'iat', 'jti'],
    })
    expect(payload).toMatchObject({ sub: 'support-bot', client_id: 'support-bot', cnf: { jkt: expect.any(String) } })
    expect(decodeProtectedHeader(grant.access_token)).toMatchObject({ typ: 'at+jwt', alg: 'ES256' })
  })

  test('oauth4webapi, as a resource server, takes a grant with its proof', async () => {
    const { as, DPoP, fetch, openTask, grantFor } = await standardClient(brokerWith())
    const grant = await grantFor((await openTask()).access_token)
    const url = new URL(`${ORDERS}/orders/123/refund`)
    let seen: Request | undefined
    await oauth.protectedResourceRequest(grant.access_token, 'POST', url, undefined, undefined, {
      DPoP,
      [oauth.customFetch]: async (target, init) => {
        seen = new Request(target, init as RequestInit)
        return new Response()
      },
    })
    const claims = await oauth.validateJwtAccessToken(as, seen as Request, ORDERS, { requireDPoP: true, ...fetch })
    expect(claims).toMatchObject({ sub: 'support-bot' })
  })

  test('oauth4webapi introspects a grant as its API, and revokes the task it came from', async () => {
    const { as, client, auth, fetch, openTask, grantFor } = await standardClient(brokerWith())
    const task = await openTask()
    const grant = await grantFor(task.access_token)
    const api: oauth.Client = { client_id: 'orders-api' }
    const apiAuth = oauth.PrivateKeyJwt({ key: apiKey, kid: 'api-1' })
    const introspect = async () =>
      oauth.processIntrospectionResponse(
        as,
        api,
        await oauth.introspectionRequest(as, api, apiAuth, grant.access_token, fetch),
      )
    expect(await introspect()).toMatchObject({ active: true, aud: ORDERS, token_type: 'DPoP' })
    await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, auth, task.access_token, fetch))
    expect(await introspect()).toEqual({ active: false })
  })
})
