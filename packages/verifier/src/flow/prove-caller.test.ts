import type { RefusalReason, SignatureCheck } from '@hallpass/core'
import { ok, refuse, verifySignature } from '@hallpass/core'
import { describe, expect, test } from 'vitest'
import { orders } from '../../test/test-api.ts'
import type { GrantWish, ProofWish } from '../../test/test-issuer.ts'
import { NOW, createTestIssuer, newKeyPair } from '../../test/test-issuer.ts'
import { planAction } from '../call/planned-action.ts'
import { createHolderKeys } from '../proof/holder-keys.ts'
import type { NonceSource } from '../proof/nonce-source.ts'
import { GenuineToken } from '../token/genuine-token.ts'
import { Attempt } from './attempt.ts'
import { boundCredential, freshProof, genuineToken, stillSigned } from './prove-caller.ts'

const issuer = createTestIssuer()
const stranger = newKeyPair()
const URL_OF_CALL = 'https://orders.example/orders/123'
const refused = (reason: RefusalReason) => ({ ok: false, reason })

function tokenOf(wish: GrantWish = {}, live = true): GenuineToken {
  const key = { kid: 'key-1', algorithm: 'ES256', key: {} as never, live }
  return new GenuineToken(issuer.grant(wish), issuer.grantClaims(wish) as never, { key, skewSeconds: 5 })
}

/** An attempt that the steps before the proof passed. */
function attemptOf(token: GenuineToken, proof: string | undefined, more: Partial<Attempt> = {}): Attempt {
  const call = { method: 'GET', target: '/orders/123', headers: [] }
  const attempt = new Attempt(planAction(orders, 'order.read'), call, { clock: () => NOW, sharesRoute: false })
  return Object.assign(attempt, { token, credential: { token: token.token, proof }, url: URL_OF_CALL, ...more })
}

describe('genuineToken()', () => {
  test.each([false, true])('keeps what was found genuine, found later: %s', async (later) => {
    const token = tokenOf()
    const attempt = attemptOf(token, undefined, { token: undefined })
    const asked: unknown[] = []
    const step = genuineToken((...given) => (asked.push(given), later ? Promise.resolve(ok(token)) : ok(token)))
    expect(await step(attempt)).toBeUndefined()
    expect([attempt.token, asked]).toEqual([token, [[token.token, NOW]]])
  })

  test.each<[token: string, found: RefusalReason, reason: RefusalReason]>([
    ['a.b.c', 'token-malformed', 'token-malformed'],
    ['a.b.c', 'token-expired', 'token-expired'],
    ['a.b.c, DPoP d.e.f', 'token-malformed', 'credential-malformed'],
    ['a.b.c d', 'token-malformed', 'credential-malformed'],
    ['a.b.c d', 'token-expired', 'token-expired'],
  ])('says of %j, found to be %s: %s', async (token, found, reason) => {
    const attempt = attemptOf(tokenOf(), undefined, { token: undefined, credential: { token, proof: undefined } })
    expect(await genuineToken(() => refuse(found))(attempt)).toMatchObject(refused(reason))
    expect(attempt.token).toBeUndefined()
  })
})

describe('boundCredential', () => {
  test.each<{ bound: boolean; proof: string | undefined; reason: string | undefined }>([
    { bound: true, proof: 'p', reason: undefined },
    { bound: false, proof: undefined, reason: undefined },
    { bound: true, proof: undefined, reason: 'binding-failed' },
    { bound: false, proof: 'p', reason: 'binding-failed' },
  ])('says of a bound grant ($bound) with the proof $proof: $reason', async ({ bound, proof, reason }) => {
    const refusal = await boundCredential(attemptOf(tokenOf({ unbound: !bound }), proof))
    expect(refusal?.reason).toBe(reason)
  })
})

describe('stillSigned', () => {
  test.each([
    [true, undefined],
    [false, 'token-key-unknown'],
  ])('says of a key that lives (%s): %s', async (live, reason) => {
    const refusal = await stillSigned(attemptOf(tokenOf({}, live), undefined))
    expect(refusal?.reason).toBe(reason)
  })
})

describe('freshProof()', () => {
  interface Rules {
    readonly nonces?: NonceSource
    readonly algorithms?: readonly string[]
    readonly checkSignature?: SignatureCheck
  }
  const prove = async (attempt: Attempt, more: Rules = {}) => {
    const { nonces, ...rest } = more
    const rules = { algorithms: ['ES256'], checkSignature: verifySignature, ...rest, nonces }
    return (await freshProof({ keys: createHolderKeys(10), ...rules })(attempt))?.reason
  }
  const open = { constraints: { status: { any: true } } } as const

  test('keeps what the ledger refuses a second time', async () => {
    const token = tokenOf()
    const attempt = attemptOf(token, issuer.proof({ token: token.token, claims: { jti: 'proof-0123456789' } }))
    expect(await prove(attempt)).toBeUndefined()
    expect(attempt.proof).toMatchObject({
      jkt: issuer.holder.jkt,
      jti: 'proof-0123456789',
      iat: NOW,
      acceptUntil: NOW + 60,
    })
  })

  test.each<{
    name: string
    grant?: GrantWish
    wish?: ProofWish
    more?: Partial<Attempt>
    reason: RefusalReason | undefined
  }>([
    { name: 'another method', wish: { method: 'HEAD' }, reason: 'proof-method' },
    { name: 'another URL', wish: { url: `${URL_OF_CALL}/x` }, reason: 'proof-url' },
    { name: 'another token', wish: { token: 'a.b.c' }, reason: 'proof-token' },
    { name: 'no token', wish: { claims: { ath: undefined } }, reason: 'proof-token' },
    { name: 'another time', wish: { claims: { iat: NOW - 61 } }, reason: 'proof-time' },
    { name: 'another body', wish: { body: 'a' }, more: { body: new Uint8Array([1]) }, reason: 'proof-body' },
    { name: 'a body it says nothing of', more: { body: new Uint8Array([1]) }, reason: 'proof-body' },
    { name: 'another query', wish: { query: 'a=c' }, more: { query: 'a=b' }, reason: 'proof-query' },
    { name: 'a query it says nothing of, fixed by the grant', more: { query: 'a=b' }, reason: undefined },
    {
      name: 'a query it says nothing of, left open by the grant',
      grant: open,
      more: { query: 'a=b' },
      reason: 'proof-query',
    },
    { name: 'the query', grant: open, wish: { query: 'a=b' }, more: { query: 'a=b' }, reason: undefined },
    { name: 'no query, under an open grant', grant: open, reason: undefined },
    { name: 'a signature by another key', wish: { signWith: stranger.privateKey }, reason: 'proof-signature' },
    { name: 'another type', wish: { header: { typ: 'at+jwt' } }, reason: 'proof-malformed' },
    { name: 'an algorithm that is not configured', wish: { header: { alg: 'ES384' } }, reason: 'proof-malformed' },
  ])('says of a proof for $name: $reason', async ({ grant = {}, wish = {}, more = {}, reason }) => {
    const token = tokenOf(grant)
    const attempt = attemptOf(token, issuer.proof({ token: token.token, ...wish }), more)
    expect(await prove(attempt)).toBe(reason)
    expect(attempt.proof === undefined).toBe(reason !== undefined)
  })

  test("refuses a proof by another key than the grant's", async () => {
    const token = tokenOf()
    expect(await prove(attemptOf(token, issuer.proof({ token: token.token }, stranger)))).toBe('binding-failed')
  })

  test('waits for a check that comes later', async () => {
    const token = tokenOf()
    const attempt = () => attemptOf(token, issuer.proof({ token: token.token }))
    expect([
      await prove(attempt(), { checkSignature: async () => true }),
      await prove(attempt(), { checkSignature: async () => false }),
    ]).toEqual([undefined, 'proof-signature'])
  })

  test('holds the nonce against its source, with the time', async () => {
    const asked: unknown[] = []
    const nonces = { current: () => 'n2', accepts: (...given: unknown[]) => (asked.push(given), given[0] === 'n2') }
    const token = tokenOf()
    const withNonce = async (nonce: string | undefined) =>
      prove(attemptOf(token, issuer.proof({ token: token.token, claims: { nonce } })), { nonces })
    expect([await withNonce('n2'), await withNonce('n1'), await withNonce(undefined)]).toEqual([
      undefined,
      'proof-nonce',
      'proof-nonce',
    ])
    expect(asked).toEqual([
      ['n2', NOW],
      ['n1', NOW],
    ])
  })

  test.each<{ name: string; bound: boolean; proof: boolean; open: boolean; query: string; reason: string | undefined }>(
    [
      {
        name: 'a bound grant without a proof',
        bound: true,
        proof: false,
        open: false,
        query: '',
        reason: 'binding-failed',
      },
      {
        name: 'an unbound grant with a proof',
        bound: false,
        proof: true,
        open: false,
        query: '',
        reason: 'binding-failed',
      },
      { name: 'an unbound grant alone', bound: false, proof: false, open: false, query: '', reason: undefined },
      { name: 'one that fixes the query', bound: false, proof: false, open: false, query: 'a=b', reason: undefined },
      {
        name: 'one that leaves it open, without a query',
        bound: false,
        proof: false,
        open: true,
        query: '',
        reason: undefined,
      },
      { name: 'one that leaves it open', bound: false, proof: false, open: true, query: 'a=b', reason: 'proof-query' },
    ],
  )('says of $name: $reason', async ({ bound, proof, open: isOpen, query, reason }) => {
    const token = tokenOf({ unbound: !bound, ...(isOpen ? open : {}) })
    const attempt = attemptOf(token, proof ? issuer.proof({ token: token.token }) : undefined, { query })
    expect(await prove(attempt)).toBe(reason)
    expect(attempt.proof).toBeUndefined()
  })
})
