import { HallpassError, isPromise, memoryTrail } from '@hallpass/core'
import { describe, expect, test, vi } from 'vitest'
import { createLiveLedger } from '../test/live-ledger.ts'
import { orders } from '../test/test-api.ts'
import type { GrantWish } from '../test/test-issuer.ts'
import { AUDIENCE, NOW, createTestIssuer, newKeyPair } from '../test/test-issuer.ts'
import type { IncomingCall, Verdict, VerifierOptions } from './index.ts'
import { createVerifier } from './index.ts'

vi.mock(import('@hallpass/core'), async (original) => {
  const core = await original()
  return { ...core, pooledSignatureCheck: () => core.pooledSignatureCheck({ atOncePerTurn: 0 }) }
})

function setUp(more: Partial<VerifierOptions<typeof orders>> = {}) {
  const issuer = createTestIssuer()
  const live = createLiveLedger()
  const audit = memoryTrail()
  const verifier = createVerifier({
    api: orders,
    issuer,
    ledger: live.ledger,
    audit,
    clock: live.clock,
    signatureChecks: 'thread-pool',
    ...more,
  })
  const grant = async (wish: GrantWish = {}): Promise<string> => {
    const token = issuer.grant({ action: 'order.read', ...wish })
    await live.register(token)
    return token
  }
  const call = (token: string): { -readonly [M in keyof IncomingCall]: IncomingCall[M] } => ({
    method: 'GET',
    target: '/orders/123',
    headers: ['authorization', `DPoP ${token}`, 'dpop', issuer.proof({ token })],
  })
  return { issuer, live, audit, verifier, grant, call }
}

const said = (verdict: Verdict) => (verdict.kind === 'refused' ? verdict.reason : verdict.kind)

describe("signatureChecks: 'thread-pool'", () => {
  test('answers later, and the same', async () => {
    const { verifier, grant, call } = setUp()
    const verdict = verifier.verify('order.read', call(await grant()))
    expect(isPromise(verdict)).toBe(true)
    expect(said(await verdict)).toBe('admitted')
  })

  test('takes nothing but its two words', () => {
    const signatureChecks = 'never' as 'at-once'
    expect(() => setUp({ signatureChecks })).toThrow(HallpassError)
  })

  test('admits one of two requests with the same proof whose checks are away together', async () => {
    const { verifier, grant, call } = setUp()
    const twice = call(await grant({ limits: [{ id: 'calls', per: 'grant', max: 5 }] }))
    const verdicts = await Promise.all([verifier.verify('order.read', twice), verifier.verify('order.read', twice)])
    expect(verdicts.map((verdict) => said(verdict)).toSorted()).toEqual(['admitted', 'proof-replayed'])
  })

  test('a stranger cannot ride on a token whose signature is still away', async () => {
    const { verifier, issuer, grant, call } = setUp()
    const token = await grant()
    const forged = `${token.slice(0, token.lastIndexOf('.'))}.${Buffer.alloc(64, 7).toString('base64url')}`
    const proof = issuer.proof({ token: forged })
    const honest = verifier.verify('order.read', call(token))
    const headers = ['authorization', `DPoP ${forged}`, 'dpop', proof]
    const other = verifier.verify('order.read', { method: 'GET', target: '/orders/123', headers })
    expect([said(await honest), said(await other)]).toEqual(['admitted', 'token-signature'])
  })
})

describe('while a signature is away', () => {
  type World = ReturnType<typeof setUp>

  test.each<{ what: string; ttl: number; reason: string; meanwhile: (world: World, token: string) => unknown }>([
    {
      what: 'the grant is revoked',
      ttl: 55,
      reason: 'grant-revoked',
      meanwhile: ({ live }) => live.ledger.revoke({ kind: 'task', txn: 'tsk_1' }, 'test'),
    },
    { what: 'the grant expires', ttl: 55, reason: 'token-expired', meanwhile: ({ live }) => live.advance(56) },
    { what: 'the proof grows too old', ttl: 200, reason: 'proof-time', meanwhile: ({ live }) => live.advance(70) },
  ])('$what: $reason', async ({ ttl, reason, meanwhile }) => {
    const world = setUp()
    const token = await world.grant({ claims: { exp: NOW + ttl } })
    const verdict = world.verifier.verify('order.read', world.call(token))
    meanwhile(world, token)
    expect(said(await verdict)).toBe(reason)
  })

  test.each(['token', 'proof'])('the issuer drops its key: what the %s waited for is worth nothing', async (away) => {
    const { issuer, verifier, grant, call, live } = setUp()
    const token = await grant({ claims: { exp: NOW + 100 }, limits: [{ id: 'calls', per: 'grant', max: 5 }] })
    if (away === 'proof') await verifier.verify('order.read', call(token))
    const verdict = verifier.verify('order.read', call(token))
    issuer.setKid('key-2')
    issuer.setKeys([{ ...issuer.signing.publicJwk, kid: 'key-2', alg: 'ES256', use: 'sig' }])
    live.advance(2)
    // Another request makes the verifier look at the key set again.
    const other = issuer.grant({ action: 'order.read', claims: { jti: 'gr_other' } })
    await verifier.verify('order.read', call(other))
    expect(said(await verdict)).toBe('token-key-unknown')
  })

  test('time goes on: the record has when the use began, not when the request came', async () => {
    const { audit, live, verifier, grant, call } = setUp()
    const verdict = verifier.verify('order.read', call(await grant()))
    live.advance(3)
    await verdict
    expect((await audit.events()).map(({ type, time }) => [type, time])).toEqual([['use.started', NOW + 3]])
  })

  test('the caller changes what it sent: nothing of that counts', async () => {
    const { issuer, verifier, grant } = setUp()
    const sent = '{"amount":"42.00"}'
    const limits = [{ id: 'calls', per: 'grant', max: 5 }] as const
    const token = await grant({ action: 'refund.create', parameters: { amount: '42.00' }, limits })
    const request = () => {
      const proof = issuer.proof({ method: 'POST', url: `${AUDIENCE}/orders/123/refund`, token, body: sent })
      const bytes = Buffer.from(sent)
      const headers = ['authorization', `DPoP ${token}`, 'dpop', proof, 'content-type', 'application/json']
      const body = () => ({ ok: true, value: bytes }) as const
      return { method: 'POST', target: '/orders/123/refund', headers, bytes, body }
    }
    // Once the token is known, the body is read before the proof goes away.
    await verifier.verify('refund.create', request())
    const { bytes, headers, ...call } = request()
    const verdict = verifier.verify('refund.create', { ...call, headers })
    bytes.write('{"amount":"99.00"}')
    headers.splice(0, headers.length, 'authorization', 'DPoP other', 'dpop', 'other')
    const admitted = await verdict
    expect(said(admitted)).toBe('admitted')
    expect(admitted).toMatchObject({ body: { amount: '42.00' }, grant: { id: expect.any(String) } })
  })

  test('another proof key never takes its place', async () => {
    const { issuer, verifier, grant } = setUp()
    const token = await grant()
    const thief = newKeyPair()
    const headers = ['authorization', `DPoP ${token}`, 'dpop', issuer.proof({ token, signWith: thief.privateKey })]
    const verdict = await verifier.verify('order.read', { method: 'GET', target: '/orders/123', headers })
    expect(said(verdict)).toBe('proof-signature')
  })
})
