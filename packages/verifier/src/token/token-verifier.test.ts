import type { MaybePromise, RefusalReason, Result, VerifyKey } from '@hallpass/core'
import { MAX_GRANT_BYTES, importVerifyKey, isPromise, sha256Base64url, verifySignature } from '@hallpass/core'
import { beforeAll, describe, expect, test } from 'vitest'
import type { GrantWish } from '../../test/test-issuer.ts'
import { AUDIENCE, ISSUER, NOW, createTestIssuer, newKeyPair, signJws } from '../../test/test-issuer.ts'
import type { IssuerKey } from '../keys/issuer-keys.ts'
import { createTokenCache } from './token-cache.ts'
import type { TokenRules } from './token-verifier.ts'
import { createTokenVerifier } from './token-verifier.ts'

const issuer = createTestIssuer()
let verifyKey: VerifyKey

beforeAll(async () => {
  const imported = await importVerifyKey(issuer.signing.publicJwk, 'ES256')
  if (!imported.ok) throw new Error('The key of the test issuer cannot be imported')
  verifyKey = imported.value
})

/** A verifier whose keys answer what the test says, and the order in which the costly things happened. */
function setUp(more: Partial<TokenRules> = {}) {
  const key: IssuerKey & { live: boolean } = { kid: 'key-1', algorithm: 'ES256', key: verifyKey, live: true }
  const state = { found: undefined as MaybePromise<Result<IssuerKey, RefusalReason>> | undefined, current: true }
  const done: string[] = []
  const verify = createTokenVerifier({
    issuer: ISSUER,
    audience: AUDIENCE,
    algorithms: ['ES256'],
    skewSeconds: 5,
    keys: {
      find: (kid, algorithm, now) => {
        done.push(`find ${kid} ${algorithm} ${now}`)
        return state.found ?? { ok: true, value: key }
      },
      current: (now) => {
        done.push(`current ${now}`)
        return state.current
      },
    },
    cache: createTokenCache(10),
    checkSignature: (...given) => {
      done.push('signature')
      return verifySignature(...given)
    },
    ...more,
  })
  const said = async (token: string, now = NOW) => {
    const found = await verify(token, now)
    return found.ok ? 'genuine' : found.reason
  }
  return { key, state, done, verify, said }
}

describe('createTokenVerifier()', () => {
  test('checks the signature once, and says of a genuine token what the steps need', async () => {
    const { verify, said, done } = setUp()
    const token = issuer.grant({ claims: { jti: 'gr_1' } })
    const found = await verify(token, NOW)
    expect(found).toMatchObject({
      ok: true,
      value: {
        token,
        jkt: issuer.holder.jkt,
        ath: sha256Base64url(token),
        notBefore: NOW - 10,
        exp: NOW + 55,
        claims: { jti: 'gr_1' },
      },
    })
    expect(await said(token)).toBe('genuine')
    expect(done).toEqual([`find key-1 ES256 ${NOW}`, 'signature', `current ${NOW}`])
  })

  test('is synchronous where every part is', () => {
    expect(isPromise(setUp().verify(issuer.grant(), NOW))).toBe(false)
  })

  test('a token that was genuine is held against the clock and the key set each time', async () => {
    const { said, state, key } = setUp()
    const token = issuer.grant()
    const at = (now: number) => said(token, now)
    expect(await at(NOW)).toBe('genuine')
    expect([await at(NOW + 54.999), await at(NOW + 55), await at(NOW + 56)]).toEqual([
      'genuine',
      'token-expired',
      'token-expired',
    ])
    expect([await at(NOW - 10), await at(NOW - 10.001)]).toEqual(['genuine', 'not-yet-valid'])
    state.current = false
    expect(await at(NOW)).toBe('keys-unavailable')
    state.current = true
    expect(await at(NOW)).toBe('genuine')
    key.live = false
    state.found = { ok: false, reason: 'token-key-unknown' }
    expect(await at(NOW)).toBe('token-key-unknown')
  })

  test('remembers no token whose signature was wrong', async () => {
    const { said, done } = setUp()
    const forged = signJws({ typ: 'at+jwt', alg: 'ES256', kid: 'key-1' }, issuer.grantClaims(), newKeyPair().privateKey)
    expect([await said(forged), await said(forged)]).toEqual(['token-signature', 'token-signature'])
    expect(done.filter((what) => what === 'signature').length).toBe(2)
  })

  test.each<{ name: string; late: Partial<TokenRules> }>([
    { name: 'says no', late: { checkSignature: async () => false } },
    { name: 'says yes', late: { checkSignature: async () => true } },
  ])('waits for a check that $name later', async ({ late }) => {
    const { verify, said } = setUp(late)
    const token = issuer.grant()
    const expected = (await late.checkSignature?.(verifyKey, '', new Uint8Array())) === true
    expect(isPromise(verify(token, NOW))).toBe(true)
    expect(await said(token)).toBe(expected ? 'genuine' : 'token-signature')
  })

  test.each<[string, RefusalReason, GrantWish]>([
    ['no key id', 'token-key-unknown', { header: { kid: undefined } }],
    ['a number as key id', 'token-malformed', { header: { kid: 1 } }],
    ['another issuer', 'issuer-unknown', { claims: { iss: 'https://evil.example' } }],
    ['another audience', 'audience-mismatch', { claims: { aud: 'https://other.example' } }],
    ['an end that is over', 'token-expired', { claims: { exp: NOW } }],
    ['a start beyond the skew', 'not-yet-valid', { claims: { iat: NOW + 6 } }],
    ['another type', 'token-type', { header: { typ: 'JWT' } }],
    ['no type', 'token-type', { header: { typ: undefined } }],
    ['an algorithm that is not configured', 'token-algorithm', { header: { alg: 'ES384' } }],
    ['a key in its header', 'token-malformed', { header: { jwk: issuer.signing.publicJwk } }],
    ['more than fits', 'token-malformed', { claims: { note: 'x'.repeat(MAX_GRANT_BYTES) } }],
  ])('refuses a token with %s before it looks for a key', async (_name, reason, wish) => {
    const { said, done } = setUp()
    expect(await said(issuer.grant(wish))).toBe(reason)
    expect(done).toEqual([])
  })

  test('takes the configured skew as leeway for the start', async () => {
    const token = issuer.grant({ claims: { iat: NOW + 5 } })
    expect([await setUp().said(token), await setUp({ skewSeconds: 4 }).said(token)]).toEqual([
      'genuine',
      'not-yet-valid',
    ])
  })

  test.each<RefusalReason>(['token-key-unknown', 'keys-unavailable'])(
    'refuses with %s without a signature check where no key is found',
    async (reason) => {
      const { said, state, done } = setUp()
      state.found = Promise.resolve({ ok: false, reason })
      expect(await said(issuer.grant())).toBe(reason)
      expect(done).toEqual([`find key-1 ES256 ${NOW}`])
    },
  )

  test('knows by the limits whether a use has amounts', async () => {
    const { verify } = setUp()
    const addsUp = async (wish: GrantWish) => {
      const found = await verify(issuer.grant(wish), NOW)
      return found.ok && found.value.addsUp
    }
    const calls = { id: 'calls', per: 'grant', max: 1 } as const
    const total = { id: 'sum', per: 'task', max: 100, parameter: 'amount', scale: 2 } as const
    expect([await addsUp({ limits: [calls] }), await addsUp({ limits: [calls, total] })]).toEqual([false, true])
  })

  test('gives an unbound grant no key and no digest for a proof', async () => {
    const { verify } = setUp()
    const found = await verify(issuer.grant({ unbound: true }), NOW)
    expect(found).toMatchObject({ ok: true, value: { jkt: undefined, ath: undefined } })
  })
})
