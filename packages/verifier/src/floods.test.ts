import crypto from 'node:crypto'
import { createServer } from 'node:http'
import { syncBuiltinESMExports } from 'node:module'
import type { AddressInfo } from 'node:net'
import type { JwkSet } from '@hallpass/core'
import { memoryTrail } from '@hallpass/core'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { badCredentials } from '../test/credential-scenarios.ts'
import { read } from '../test/scenario.ts'
import { scriptedLedger } from '../test/scripted-ledger.ts'
import { orders } from '../test/test-api.ts'
import { AUDIENCE, NOW, createTestIssuer, newKeyPair, signJws } from '../test/test-issuer.ts'
import type { RawRequest } from '../test/raw-request.ts'
import { createVerifier } from './index.ts'

const closing: (() => void)[] = []
afterEach(() => {
  vi.restoreAllMocks()
  syncBuiltinESMExports()
  for (const close of closing.splice(0)) close()
})

const ask = (verifier: ReturnType<typeof createVerifier<typeof orders>>, { target = '/', headers = [] }: RawRequest) =>
  verifier.verify('order.read', { method: 'GET', target, headers })

/** A real issuer over HTTP that counts how often it is asked. */
async function issuerServer(options: { answer?: () => number; slow?: Promise<unknown> } = {}) {
  const asked = { metadata: 0, jwks: 0 }
  let keys: JwkSet = { keys: [] }
  let issuer = ''
  const server = createServer((req, res) => {
    void (async () => {
      await options.slow
      const isMetadata = req.url?.startsWith('/.well-known/') === true
      asked[isMetadata ? 'metadata' : 'jwks'] += 1
      res.statusCode = options.answer?.() ?? 200
      res.setHeader('content-type', 'application/json')
      res.end(JSON.stringify(isMetadata ? { issuer, jwks_uri: `${issuer}/jwks` } : keys))
    })()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => {
    server.closeAllConnections()
    server.close()
  })
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const signer = createTestIssuer({ issuer })
  keys = signer.jwks()
  return { asked, issuer, signer }
}

describe('key sets', () => {
  const world = async (options?: Parameters<typeof issuerServer>[0]) => {
    const { asked, issuer, signer } = await issuerServer(options)
    let now = NOW
    const verifier = createVerifier({
      api: orders,
      issuer,
      ledger: scriptedLedger(),
      audit: memoryTrail(),
      clock: () => now,
    })
    const flood = async (kids: number, header = (index: number): object => ({ kid: `forged-${index}` })) => {
      const verdicts = await Promise.all(
        Array.from({ length: kids }, async (_, index) =>
          ask(verifier, read(signer, { token: signer.grant({ action: 'order.read', header: { ...header(index) } }) })),
        ),
      )
      return new Set(verdicts.map((verdict) => ('reason' in verdict ? verdict.reason : verdict.kind)))
    }
    return { asked, signer, verifier, flood, advance: (seconds: number) => void (now += seconds) }
  }

  test('a flood of key ids nobody has costs the issuer one fetch in a cool-down, however long it lasts', async () => {
    const { asked, signer, verifier, flood, advance } = await world()
    expect(await flood(200)).toEqual(new Set(['token-key-unknown']))
    expect(asked).toEqual({ metadata: 1, jwks: 1 })
    for (let second = 0; second < 29; second += 1) {
      advance(1)
      await flood(10)
    }
    expect(asked).toEqual({ metadata: 1, jwks: 1 })
    advance(2)
    await flood(200)
    expect(asked).toEqual({ metadata: 2, jwks: 2 })
    expect(
      (
        await ask(
          verifier,
          read(signer, { grant: { claims: { iat: NOW + 30, exp: NOW + 60 } }, proof: { claims: { iat: NOW + 31 } } }),
        )
      ).kind,
    ).toBe('admitted')
  })

  test('a cold start under load asks once', async () => {
    const { asked, flood } = await world()
    expect(await flood(100, () => ({}))).toEqual(new Set(['admitted']))
    expect(asked).toEqual({ metadata: 1, jwks: 1 })
  })

  test('an issuer that is down is asked less and less, and answers 503 meanwhile', async () => {
    const { asked, flood, advance } = await world({ answer: () => 503 })
    for (let second = 0; second < 50; second += 1) {
      expect(await flood(10)).toEqual(new Set(['keys-unavailable']))
      advance(1)
    }
    expect(asked.metadata).toBeLessThanOrEqual(11)
    expect(asked.jwks).toBe(0)
  })

  test('a flood does not keep a known key from being used while the set is asked for', async () => {
    let release: (value?: unknown) => void = () => undefined
    const slow: { slow?: Promise<unknown> } = {}
    const { asked, signer, verifier, flood, advance } = await world(slow)
    expect((await ask(verifier, read(signer))).kind).toBe('admitted')
    slow.slow = new Promise((resolve) => {
      release = resolve
    })
    advance(31)
    const flooding = flood(50)
    const during = await ask(
      verifier,
      read(signer, { grant: { claims: { iat: NOW + 30, exp: NOW + 60 } }, proof: { claims: { iat: NOW + 31 } } }),
    )
    expect(during.kind).toBe('admitted')
    release()
    await flooding
    expect(asked).toEqual({ metadata: 2, jwks: 2 })
  })
})

describe('work before the signature check', () => {
  const issuer = createTestIssuer()
  let verified = 0
  let imported = 0

  beforeEach(() => {
    verified = 0
    imported = 0
    const { verify, createPublicKey } = crypto
    vi.spyOn(crypto, 'verify').mockImplementation((...given: Parameters<typeof verify>) => {
      verified += 1
      return verify(...given)
    })
    vi.spyOn(crypto, 'createPublicKey').mockImplementation((...given: Parameters<typeof createPublicKey>) => {
      imported += 1
      return createPublicKey(...given)
    })
    syncBuiltinESMExports()
  })

  const freshVerifier = async () => {
    const verifier = createVerifier({
      api: orders,
      issuer,
      ledger: scriptedLedger(),
      audit: memoryTrail(),
      clock: () => NOW,
    })
    await ask(verifier, read(issuer))
    expect([verified, imported]).toEqual([2, 2])
    verified = 0
    imported = 0
    return verifier
  }

  const free = new Set([
    'credential-missing',
    'credential-malformed',
    'proof-missing',
    'token-malformed',
    'token-algorithm',
    'token-type',
    'token-claims',
    'token-expired',
    'issuer-unknown',
    'audience-mismatch',
    'not-yet-valid',
    'lifetime-exceeded',
    'token-key-unknown',
  ])
  test.each(badCredentials.filter(({ reason }) => free.has(reason ?? '')))(
    'nothing is verified or imported for $name',
    async ({ send }) => {
      const verifier = await freshVerifier()
      await ask(verifier, send(issuer))
      expect([verified, imported]).toEqual([0, 0])
    },
  )

  test('a forged token costs one signature check, and no key of its proof is imported', async () => {
    const verifier = await freshVerifier()
    const forged = signJws({ typ: 'at+jwt', alg: 'ES256', kid: 'key-1' }, issuer.grantClaims(), newKeyPair().privateKey)
    imported = 0
    await ask(verifier, read(issuer, { token: forged }))
    expect([verified, imported]).toEqual([1, 0])
  })

  test.each([
    ['method', { method: 'POST' }],
    ['URL', { url: `${AUDIENCE}/orders/9` }],
    ['time', { claims: { iat: NOW - 600 } }],
    ['token', { claims: { ath: 'x' } }],
  ])('a proof of another %s costs no check of its signature', async (_name, proof) => {
    const verifier = await freshVerifier()
    await ask(verifier, read(issuer, { proof }))
    expect([verified, imported]).toEqual([1, 0])
  })

  test.each(['token', 'proof', 'authorization'])('a %s too long to be one is not looked into', async (which) => {
    const verifier = await freshVerifier()
    const long = 'A'.repeat(1_000_000)
    const decode = vi.spyOn(JSON, 'parse')
    const verdict = await ask(
      verifier,
      read(issuer, {
        headers: (token, proof) => [
          'authorization',
          which === 'authorization' ? long : `DPoP ${which === 'token' ? `${long}.${long}.${long}` : token}`,
          'dpop',
          which === 'proof' ? `${long}.${long}.${long}` : proof,
        ],
      }),
    )
    expect(verdict.kind).toBe('refused')
    expect(decode).not.toHaveBeenCalled()
    expect(verified).toBeLessThanOrEqual(1)
  })
})
