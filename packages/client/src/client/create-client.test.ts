import { decimal, defineApi, parameterDigest } from '@hallpass/core'
import { decodeProtectedHeader, decodeJwt, calculateJwkThumbprint } from 'jose'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { createClient } from './create-client.ts'

const orders = defineApi({
  audience: 'https://orders.example',
  actions: {
    'order.read': { route: 'GET /orders/{id}', resource: 'order:{id}', risk: 'read' },
    'refund.create': {
      route: 'POST /orders/{id}/refund',
      resource: 'order:{id}',
      risk: 'write',
      parameters: z.object({ amount: decimal() }),
    },
  },
})
const issuer = 'https://broker.example'
const identity = { type: 'jwt-bearer', clientId: 'support-bot', assertion: async () => 'a.b.c' } as const

/** The least a broker and an API have to say for one task to run. */
function fakeServices() {
  const seen: Request[] = []
  const forms: URLSearchParams[] = []
  const json = (body: unknown, status = 200) => Response.json(body, { status })
  const fetch = async (request: Request): Promise<Response> => {
    seen.push(request.clone())
    const url = new URL(request.url)
    if (url.pathname === '/.well-known/oauth-authorization-server') {
      const endpoints = { token_endpoint: `${issuer}/token`, revocation_endpoint: `${issuer}/revoke` }
      return json({ issuer, ...endpoints, dpop_signing_alg_values_supported: ['ES256'] })
    }
    if (url.origin !== issuer) return json({ done: true }, 201)
    const form = new URLSearchParams(await request.text())
    forms.push(form)
    if (url.pathname === '/revoke') return new Response(null, { status: 200 })
    const jwk = decodeProtectedHeader(request.headers.get('dpop') ?? '')['jwk'] as { kty: string }
    const common = { token_type: 'DPoP', expires_in: 60, cnf: { jkt: await calculateJwkThumbprint(jwk) } }
    const [detail] = JSON.parse(form.get('authorization_details') ?? '[]')
    if (detail.type === 'urn:hallpass:task') {
      return json({
        ...common,
        access_token: 't.a.sk',
        authorization_details: [detail],
        txn: 'tsk_AAAAAAAAAAAAAAAAAAAAAA',
      })
    }
    const { parameters, ...rest } = detail
    const entry = {
      ...rest,
      parameter_digest: parameterDigest(parameters),
      limits: [{ id: 'calls', per: 'grant', max: 1 }],
    }
    return json({
      ...common,
      access_token: 'g.ra.nt',
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      authorization_details: [entry],
    })
  }
  return { fetch, seen, forms }
}

describe('createClient()', () => {
  test('opens a task, asks, calls with grant and proof, ends', async () => {
    const services = fakeServices()
    const hallpass = createClient({ issuer, identity, api: orders, fetch: services.fetch })
    const outcome = await hallpass.task({ purpose: 'support-ticket' }, (task) =>
      task.call('refund.create', { resource: 'order:123', parameters: { amount: '42.00' }, callId: 'call-1' }),
    )
    expect(outcome).toMatchObject({ ok: true, grant: { resource: 'order:123', callsLeft: 0 }, callId: 'call-1' })
    const call = services.seen.find((request) => request.url === 'https://orders.example/orders/123/refund')
    expect(call?.headers.get('authorization')).toBe('DPoP g.ra.nt')
    expect(call?.headers.get('idempotency-key')).toBe('"call-1"')
    expect(decodeJwt(call?.headers.get('dpop') ?? '')).toMatchObject({
      htm: 'POST',
      htu: 'https://orders.example/orders/123/refund',
      content_digest: expect.stringMatching(/^sha-256=:.{44}:$/),
    })
    expect(services.forms.map((form) => form.get('grant_type') ?? form.get('reason'))).toEqual([
      'client_credentials',
      'urn:ietf:params:oauth:grant-type:token-exchange',
      'completed',
    ])
  })
})
