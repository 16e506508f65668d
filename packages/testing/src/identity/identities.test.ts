import { defineApi } from '@hallpass/core'
import { oidcToken, spiffeJwt } from '@hallpass/client'
import { defaultTriggers, definePolicy } from '@hallpass/policy'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { describe, expect, test } from 'vitest'
import { fixedClock } from '../clock/fixed-clock.ts'
import { testKey } from '../key/test-key.ts'
import { testWorld } from '../world/test-world.ts'
import { testOidcIssuer } from './test-oidc-issuer.ts'
import { testTrustDomain } from './test-trust-domain.ts'

const broker = 'https://broker.test'
const orders = defineApi({
  audience: 'https://orders.test',
  actions: { 'order.read': { route: 'GET /orders/{id}', resource: 'order:{id}', risk: 'read' } },
})

function scene() {
  const clock = fixedClock()
  const login = testOidcIssuer({ issuer: 'https://login.test', clock: clock.now })
  const mesh = testTrustDomain('acme.test', { clock: clock.now })
  const agent = { owner: 'team:support', approvers: ['group:leads'], revokeOn: defaultTriggers } as const
  const policy = definePolicy({
    api: orders,
    version: '1',
    purposes: ['test'],
    agents: {
      'oidc-bot': { ...agent, identity: login.identity('workload-7', broker) },
      'spiffe-bot': { ...agent, identity: mesh.identity('agents/bot', broker) },
    },
    rules: [{ id: 'read', action: 'order.read', effect: 'permit' }],
  })
  const world = testWorld({ api: orders, policy, ownIdentities: true, outside: (request) => login.fetch(request) })
  return { clock, login, mesh, world }
}

describe('testOidcIssuer()', () => {
  test('testOidcIssuer() gives tokens that its published keys verify', async () => {
    const { login, clock } = scene()
    const token = await login.token({ subject: 'workload-7', audience: broker })
    const keys = createLocalJWKSet((await login.jwks()) as Parameters<typeof createLocalJWKSet>[0])
    const { payload } = await jwtVerify(token, keys, { currentDate: new Date(clock.now() * 1000) })
    expect(payload).toMatchObject({ iss: 'https://login.test', sub: 'workload-7', aud: broker })
  })

  test('testOidcIssuer() lets an agent in, through discovery and key rotation', async () => {
    const { login, world } = scene()
    const token = () => login.token({ subject: 'workload-7', audience: broker })
    const client = world.client('oidc-bot', { identity: oidcToken({ clientId: 'oidc-bot', token }) })
    const read = () => client.task({ purpose: 'test' }, (task) => task.call('order.read', { resource: 'order:1' }))
    expect(await read()).toMatchObject({ ok: true })
    expect(login.requests).toEqual(['/.well-known/openid-configuration', '/jwks'])
    login.rotate()
    world.clock.advance(61)
    expect(await read()).toMatchObject({ ok: true })
  })

  test.each<[string, Parameters<ReturnType<typeof testOidcIssuer>['token']>[0]]>([
    ['another subject', { subject: 'workload-8', audience: broker }],
    ['another audience', { subject: 'workload-7', audience: 'https://other.test' }],
    ['two audiences', { subject: 'workload-7', audience: [broker, 'https://other.test'] }],
    ['an expired token', { subject: 'workload-7', audience: broker, lifeSeconds: -1 }],
    ['another issuer', { subject: 'workload-7', audience: broker, claims: { iss: 'https://evil.test' } }],
    ['a key nobody published', { subject: 'workload-7', audience: broker, header: { kid: 'x' } }],
  ])('testOidcIssuer() can lie, and the broker does not believe %s', async (_name, wish) => {
    const { login, world } = scene()
    const identity = oidcToken({ clientId: 'oidc-bot', token: () => login.token(wish) })
    const outcome = await world.client('oidc-bot', { identity }).task({ purpose: 'test' }, async () => true)
    expect(outcome).toMatchObject({ ok: false, reason: 'identity-invalid' })
  })
})

describe('testTrustDomain()', () => {
  const client = ({ mesh, world }: ReturnType<typeof scene>, wish: object = {}) =>
    world.client('spiffe-bot', {
      identity: spiffeJwt({
        clientId: mesh.id('agents/bot'),
        svid: async (audience) => mesh.svid('agents/bot', { audience, ...wish }),
      }),
    })

  test('testTrustDomain() lets an agent in', async () => {
    const outcome = await client(scene()).task({ purpose: 'test' }, (task) =>
      task.call('order.read', { resource: 'order:1' }),
    )
    expect(outcome).toMatchObject({ ok: true })
  })

  test.each([
    ['another workload', { claims: { sub: 'spiffe://acme.test/agents/other' } }],
    ['another trust domain', { claims: { sub: 'spiffe://evil.test/agents/bot' } }],
    ['another audience', { audience: 'https://other.test' }],
    ['an expired SVID', { lifeSeconds: -1 }],
    ['a key outside the bundle', { signWith: testKey() }],
    ['no key id', { header: { kid: undefined } }],
  ])('testTrustDomain() can lie, and the broker does not believe %s', async (_name, wish) => {
    const outcome = await client(scene(), wish).task({ purpose: 'test' }, async () => true)
    expect(outcome).toMatchObject({ ok: false, reason: 'identity-invalid' })
  })
})
