import type { AuditSink, MaybePromise, RedeemAnswer } from '@hallpass/core'
import { isPromise, memoryTrail } from '@hallpass/core'
import { assert, asyncProperty, boolean, constantFrom, domain, ipV4, nat, oneof } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { scriptedLedger } from '../test/scripted-ledger.ts'
import { orders } from '../test/test-api.ts'
import type { GrantWish, ProofWish } from '../test/test-issuer.ts'
import { AUDIENCE, NOW, createTestIssuer, newKeyPair } from '../test/test-issuer.ts'
import type { IncomingCall, Observation, Verdict, VerifierOptions } from './index.ts'
import { createVerifier } from './index.ts'

function setUp(more: Partial<VerifierOptions<typeof orders>> = {}, answer?: () => MaybePromise<RedeemAnswer>) {
  const state = { now: NOW }
  const issuer = createTestIssuer()
  const ledger = scriptedLedger(answer)
  const audit = memoryTrail()
  const observed: Observation[] = []
  const verifier = createVerifier({
    api: orders,
    issuer,
    ledger,
    audit,
    clock: () => state.now,
    observe: (observation) => observed.push(observation),
    ...more,
  })
  const call = (wish: GrantWish = {}, proof: ProofWish = {}, headers: readonly string[] = []): IncomingCall => {
    const token = issuer.grant({ action: 'order.read', ...wish })
    const credentials =
      wish.unbound === true
        ? ['authorization', `Bearer ${token}`]
        : ['authorization', `DPoP ${token}`, 'dpop', issuer.proof({ token, ...proof })]
    return { method: 'GET', target: '/orders/123', headers: [...credentials, ...headers] }
  }
  return { state, issuer, ledger, audit, observed, verifier, call }
}

const missing = undefined as never
const said = (verdict: Verdict) => (verdict.kind === 'refused' ? verdict.reason : verdict.kind)

describe('createVerifier()', () => {
  test('verify() is synchronous where every part is', () => {
    const { verifier, call } = setUp()
    const verdict = verifier.verify('order.read', call())
    expect(isPromise(verdict)).toBe(false)
  })

  test('gives each call of one token its own answer, whichever came before', async () => {
    const { verifier, issuer, audit } = setUp({ acceptUnboundGrantsThatAnyHolderCanUse: true })
    const token = issuer.grant({ action: 'order.read', unbound: true })
    const ask = async (action: 'order.read' | 'refund.create', target: string, more: Partial<IncomingCall> = {}) => {
      const method = action === 'order.read' ? 'GET' : 'POST'
      const headers = ['authorization', `Bearer ${token}`]
      return said(await verifier.verify(action, { method, target, headers, ...more }))
    }
    const round = async () => [
      await ask('order.read', '/orders/123'),
      await ask('order.read', '/orders/999'),
      await ask('order.read', '/orders/999'),
      await ask('refund.create', '/orders/123/refund'),
      await ask('order.read', '/orders/123', { method: 'HEAD' }),
      await ask('order.read', '/v1/orders/123'),
      await ask('order.read', '/v1/orders/123', { mount: '/v1' }),
      await ask('order.read', '/orders/123', { route: { id: '999' } }),
      await ask('order.read', '/orders/123?id=999'),
      await ask('order.read', '/orders/123'),
    ]
    const answers = [
      'admitted',
      'resource-mismatch',
      'resource-mismatch',
      'action-mismatch',
      'action-mismatch',
      'action-mismatch',
      'admitted',
      'request-malformed',
      'parameters-invalid',
      'admitted',
    ]
    expect([await round(), await round()]).toEqual([answers, answers])
    const refused = (await audit.events({ type: 'use.refused' })).filter(({ reason }) => reason === 'resource-mismatch')
    expect(refused.map(({ resource }) => resource)).toEqual(['order:999', 'order:999', 'order:999', 'order:999'])
    expect(new Set(refused.map(({ id }) => id)).size).toBe(4)
  })

  test('says at the end of a use what it follows and how it ended, and by which key it was made where it started', async () => {
    const { verifier, call, audit } = setUp()
    const verdict = await verifier.verify('order.read', call())
    if (verdict.kind === 'admitted') await verdict.settle({ status: 204 })
    const [start, end] = await audit.events()
    expect(start).toMatchObject({ type: 'use.started', client_id: 'support-bot', jkt: expect.any(String) })
    expect(end).toEqual({
      seq: 2,
      prev: start?.hash,
      source: start?.source,
      time: NOW,
      hash: expect.any(String),
      id: `${start?.id}-ended`,
      type: 'use.ended',
      txn: start?.txn,
      jti: start?.jti,
      client_id: 'support-bot',
      sub: start?.sub,
      owner: start?.owner,
      aud: AUDIENCE,
      action: 'order.read',
      resource: 'order:123',
      follows: start?.id,
      status: 204,
    })
  })

  test('hands the handler a typed, complete grant', async () => {
    const { verifier, issuer } = setUp()
    const body = '{"amount":"42.00"}'
    const token = issuer.grant({
      action: 'refund.create',
      parameters: { amount: '42.00' },
      claims: { sub: 'user-7', act: { sub: 'support-bot', iss: issuer.issuer }, jti: 'gr_1' },
    })
    const proof = issuer.proof({ method: 'POST', url: `${AUDIENCE}/orders/123/refund`, token, body })
    const headers = ['authorization', `DPoP ${token}`, 'dpop', proof, 'content-type', 'application/json']
    const bytes = new TextEncoder().encode(body)
    const verdict = await verifier.verify('refund.create', {
      method: 'POST',
      target: '/orders/123/refund',
      headers,
      body: () => ({ ok: true, value: bytes }),
    })
    const { parameters, event, ...rest } =
      verdict.kind === 'admitted' ? { ...verdict.grant, giveBack: undefined } : ({} as never)
    expect(rest).toEqual({
      giveBack: undefined,
      id: 'gr_1',
      txn: 'tsk_1',
      agent: 'support-bot',
      owner: 'team:support',
      subject: 'user-7',
      onBehalfOf: 'user-7',
      action: 'refund.create',
      resource: 'order:123',
      resourceParts: { id: '123' },
      usesLeft: 0,
      expiresAt: NOW + 55,
    })
    expect([parameters.amount.toString(), event.startsWith('ev_')]).toEqual(['42.00', true])
  })

  test('spends what the token says, under the proof it verified', async () => {
    const { verifier, call, ledger } = setUp()
    const verdict = await verifier.verify(
      'order.read',
      call({ claims: { jti: 'gr_1' } }, { claims: { jti: 'proof-0123456789abcdef' } }),
    )
    expect(ledger.requests).toMatchObject([
      {
        audience: AUDIENCE,
        issuer: 'https://broker.example',
        jti: 'gr_1',
        txn: 'tsk_1',
        clientId: 'support-bot',
        action: 'order.read',
        resource: 'order:123',
        source: 'registered',
        proof: { jti: 'proof-0123456789abcdef', iat: NOW, acceptUntil: NOW + 60 },
        event: verdict.kind === 'admitted' ? verdict.grant.event : '',
      },
    ])
  })

  test('never repeats an attempt id', async () => {
    const { verifier, call, ledger } = setUp()
    for (let count = 0; count < 300; count += 1) await verifier.verify('order.read', call())
    expect(new Set(ledger.requests.map(({ attempt }) => attempt)).size).toBe(300)
  })

  test('forgets tokens with the key that signed them', async () => {
    const { verifier, call, issuer, state } = setUp()
    const token = issuer.grant({ action: 'order.read' })
    const again = () => ({
      ...call(),
      headers: ['authorization', `DPoP ${token}`, 'dpop', issuer.proof({ token, claims: { iat: state.now } })],
    })
    expect(said(await verifier.verify('order.read', again()))).toBe('admitted')
    issuer.setKeys([{ ...newKeyPair().publicJwk, kid: 'key-2', alg: 'ES256' }])
    state.now += 2
    // The first call after the change looks the set up again, and is held against what it finds.
    expect(said(await verifier.verify('order.read', again()))).toBe('token-key-unknown')
    expect(said(await verifier.verify('order.read', again()))).toBe('token-key-unknown')
  })

  test('takes no signing key from a token it has not got', async () => {
    const { verifier, call, issuer } = setUp()
    issuer.setKeys([])
    expect(said(await verifier.verify('order.read', call()))).toBe('token-key-unknown')
  })

  test.each<{ name: string; answer: () => MaybePromise<RedeemAnswer> }>([
    {
      name: 'throws',
      answer: () => {
        throw new Error('down')
      },
    },
    { name: 'rejects', answer: async () => Promise.reject(new Error('down')) },
    { name: 'never answers', answer: async () => new Promise(() => undefined) },
  ])('refuses with 503 when the ledger $name', async ({ answer }) => {
    const { verifier, call } = setUp({ ledgerTimeoutMs: 20 }, answer)
    const verdict = await verifier.verify('order.read', call())
    expect([said(verdict), verdict.kind === 'refused' && verdict.answer().status]).toEqual(['ledger-unavailable', 503])
  })

  test('a refusal does not take the id of a use that may be on record all the same', async () => {
    const late = setUp({ ledgerTimeoutMs: 20 }, async () => new Promise(() => undefined))
    const unheard = await late.verifier.verify('order.read', late.call())
    const trail = memoryTrail()
    const forgetful: AuditSink = {
      ...trail,
      // Written, and nobody hears of it.
      append: (event) => (trail.append(event), event.type === 'use.started' ? new Promise(() => undefined) : undefined),
    }
    const slow = setUp({ ledgerTimeoutMs: 20, audit: forgetful })
    const unrecorded = await slow.verifier.verify('order.read', slow.call())
    const idOfUse = (ledger: typeof late.ledger) => ledger.requests[0]?.event
    const told = [...(await late.audit.events()), ...(await trail.events())]
    expect([said(unheard), said(unrecorded)]).toEqual(['ledger-unavailable', 'audit-unavailable'])
    expect(told.map(({ id, type, follows }) => [type, id, follows])).toEqual([
      ['use.refused', `${idOfUse(late.ledger)}-refused`, idOfUse(late.ledger)],
      ['use.started', idOfUse(slow.ledger), undefined],
      ['use.refused', `${idOfUse(slow.ledger)}-refused`, idOfUse(slow.ledger)],
    ])
    expect([unheard, unrecorded].map((verdict) => verdict.kind === 'refused' && verdict.event)).toEqual([
      `${idOfUse(late.ledger)}-refused`,
      `${idOfUse(slow.ledger)}-refused`,
    ])
  })

  test('takes an unbound grant only where the option says so, and then without a proof', async () => {
    const unbound = { unbound: true } as const
    const strict = setUp()
    const lenient = setUp({ acceptUnboundGrantsThatAnyHolderCanUse: true })
    expect([
      said(await strict.verifier.verify('order.read', strict.call(unbound))),
      said(await lenient.verifier.verify('order.read', lenient.call(unbound))),
      said(await lenient.verifier.verify('order.read', lenient.call())),
    ]).toEqual(['binding-failed', 'admitted', 'admitted'])
  })

  test('does not take a bound grant as Bearer, whatever the option says', async () => {
    const { verifier, issuer, ledger } = setUp({ acceptUnboundGrantsThatAnyHolderCanUse: true })
    const headers = ['authorization', `Bearer ${issuer.grant({ action: 'order.read' })}`]
    expect(said(await verifier.verify('order.read', { method: 'GET', target: '/orders/123', headers }))).toBe(
      'binding-failed',
    )
    expect(ledger.requests).toEqual([])
  })

  test('asks for a nonce and takes a proof that has it', async () => {
    const nonces = { current: () => 'nonce-2', accepts: (nonce: string) => nonce === 'nonce-2' }
    const { verifier, call } = setUp({ nonces })
    for (const nonce of [undefined, 'nonce-1']) {
      const verdict = await verifier.verify('order.read', call({}, { claims: { nonce } }))
      const answer = verdict.kind === 'refused' ? verdict.answer() : undefined
      expect(answer?.headers).toMatchObject({
        'dpop-nonce': 'nonce-2',
        'www-authenticate': expect.stringContaining('error="use_dpop_nonce"') as string,
      })
    }
    expect(said(await verifier.verify('order.read', call({}, { claims: { nonce: 'nonce-2' } })))).toBe('admitted')
  })

  test('remembers a covered bare call only for that very action and resource', async () => {
    const { verifier, issuer } = setUp()
    const token = issuer.grant({ action: 'order.read' })
    const ask = async (action: 'order.read' | 'order.search', target: string) => {
      const proof = issuer.proof({ token, url: `${AUDIENCE}${target}` })
      return said(
        await verifier.verify(action, {
          method: 'GET',
          target,
          headers: ['authorization', `DPoP ${token}`, 'dpop', proof],
        }),
      )
    }
    expect([
      await ask('order.read', '/orders/123'),
      await ask('order.read', '/orders/124'),
      await ask('order.read', '/orders/123'),
      await ask('order.search', '/customers/123/orders'),
    ]).toEqual(['admitted', 'resource-mismatch', 'admitted', 'action-mismatch'])
  })

  test('says in a 403 what to ask for, by name only', async () => {
    const { verifier, issuer } = setUp()
    const body = '{"amount":"420.00"}'
    const token = issuer.grant({ action: 'refund.create', parameters: { amount: '42.00' } })
    const proof = issuer.proof({ method: 'POST', url: `${AUDIENCE}/orders/123/refund`, token, body })
    const headers = ['authorization', `DPoP ${token}`, 'dpop', proof, 'content-type', 'application/json']
    const bytes = new TextEncoder().encode(body)
    const verdict = await verifier.verify('refund.create', {
      method: 'POST',
      target: '/orders/123/refund',
      headers,
      body: () => ({ ok: true, value: bytes }),
    })
    const answer = verdict.kind === 'refused' ? verdict.answer() : { status: 0, headers: {}, body: '{}' }
    expect(answer.status).toBe(403)
    expect(answer.headers['www-authenticate']).toBe(
      'DPoP error="insufficient_authorization_details", algs="ES256", resource_metadata="https://orders.example/.well-known/oauth-protected-resource"',
    )
    expect(JSON.parse(answer.body)).toEqual({
      type: 'urn:hallpass:problem:not-granted',
      title: 'The grant does not cover this request',
      status: 403,
      event: verdict.kind === 'refused' ? verdict.event : '',
      authorization_details: [
        { type: 'urn:hallpass:tool-call', locations: [AUDIENCE], actions: ['refund.create'], identifier: 'order:123' },
      ],
    })
    expect(answer.body).not.toContain('420.00')
  })

  test('serves metadata a client can start from', () => {
    const { verifier } = setUp()
    expect([verifier.metadataPath, verifier.metadata()]).toEqual([
      '/.well-known/oauth-protected-resource',
      {
        resource: AUDIENCE,
        resource_name: 'Orders',
        authorization_servers: ['https://broker.example'],
        bearer_methods_supported: ['header'],
        authorization_details_types_supported: ['urn:hallpass:tool-call'],
        dpop_signing_alg_values_supported: ['ES256'],
        dpop_bound_access_tokens_required: true,
      },
    ])
  })

  test('an observer that throws changes nothing', async () => {
    const { verifier, call } = setUp({
      observe: () => {
        throw new Error('metrics are down')
      },
    })
    expect(said(await verifier.verify('order.read', call()))).toBe('admitted')
  })

  test('tells its observer of verdicts and outcomes', async () => {
    const { verifier, call, observed } = setUp()
    const admitted = await verifier.verify('order.read', call())
    if (admitted.kind === 'admitted') await admitted.settle({ status: 204 })
    await verifier.verify('order.search', call())
    expect(observed.map(({ kind, action, reason, status }) => [kind, action, reason ?? status])).toEqual([
      ['admitted', 'order.read', undefined],
      ['settled', 'order.read', 204],
      ['refused', 'order.search', 'action-mismatch'],
    ])
  })

  test.each<{ name: string; options: Partial<VerifierOptions<typeof orders>> }>([
    { name: 'no ledger', options: { ledger: missing } },
    { name: 'no audit', options: { audit: missing } },
    { name: 'no issuer', options: { issuer: missing } },
    { name: 'an issuer over http', options: { issuer: 'http://broker.example' } },
    { name: 'a public URL that is no URL', options: { publicUrl: 'orders.example' } },
    { name: 'a skew over the cap', options: { skewSeconds: 31 } },
    { name: 'a body limit of nothing', options: { bodyLimitBytes: 0 } },
    { name: 'no time for a body', options: { bodyTimeoutMs: 0 } },
    { name: 'a timer that would fire at once', options: { bodyTimeoutMs: 2 ** 31 } },
    { name: 'a ledger timer that would fire at once', options: { ledgerTimeoutMs: Number.POSITIVE_INFINITY } },
    { name: 'a staleness that is no number', options: { revocation: { maxStalenessSeconds: Number.NaN } } },
    { name: 'a digest key that is too short', options: { digestKey: new Uint8Array(8) } },
  ])('refuses to exist with $name', ({ options }) => {
    expect(() => setUp(options)).toThrow(expect.objectContaining({ code: 'configuration-invalid' }))
  })

  test('forAction() refuses an action the catalog has not', () => {
    const { verifier } = setUp()
    expect(() => verifier.forAction('order.raed' as 'order.read')).toThrow(
      expect.objectContaining({ code: 'configuration-invalid' }),
    )
  })
})

describe('what a proof is for', () => {
  const host = oneof(domain(), ipV4(), constantFrom('orders.example', 'ORDERS.example', 'orders.example:443', '[::1]'))
  const forms = (other: string): string[] => [
    '/orders/123',
    `http://${other}/orders/123`,
    `https://${other}/orders/123`,
    `HTTP://${other}/orders/123`,
  ]

  test('never follows Host, forwarding headers or the authority of the request line', async () => {
    const { verifier, issuer } = setUp()
    const token = issuer.grant({ action: 'order.read' })
    await assert(
      asyncProperty(host, nat({ max: 3 }), boolean(), async (other, form, honest) => {
        const origin = new URL(`https://${other}`).origin
        const url = honest ? `${AUDIENCE}/orders/123` : `${origin}/orders/123`
        const target = forms(other)[form] ?? ''
        const forwarded = [
          'host',
          other,
          'x-forwarded-host',
          other,
          'x-forwarded-proto',
          'https',
          'forwarded',
          `host=${other};proto=https`,
        ]
        const headers = [...forwarded, 'authorization', `DPoP ${token}`, 'dpop', issuer.proof({ token, url })]
        const verdict = await verifier.verify('order.read', { method: 'GET', target, headers })
        expect(said(verdict)).toBe(honest || origin === AUDIENCE ? 'admitted' : 'proof-url')
      }),
      { numRuns: 150 },
    )
  })
})
