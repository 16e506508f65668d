import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TokenSource } from '@hallpass/core'
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { afterAll, describe, expect, test } from 'vitest'
import { desk, task, testKey } from '../../test/desk.ts'
import { fileToken } from './file-token.ts'
import { oidcToken } from './oidc-token.ts'
import { signedAssertion } from './signed-assertion.ts'
import { spiffeJwt } from './spiffe-jwt.ts'

const audience = 'https://broker.test'
const invalid = expect.objectContaining({ code: 'configuration-invalid' })

// Through its encoding: exporting a key object that generateKeyPairSync returned can wait for itself for ever on Node 20.
function newPrivateKey(alg: string) {
  const asPem = {
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  } as const
  if (alg === 'EdDSA') return createPrivateKey(generateKeyPairSync('ed25519', asPem).privateKey as unknown as string)
  if (alg === 'ES384')
    return createPrivateKey(
      generateKeyPairSync('ec', { namedCurve: 'P-384', ...asPem }).privateKey as unknown as string,
    )
  return createPrivateKey(generateKeyPairSync('rsa', { modulusLength: 2048, ...asPem }).privateKey as unknown as string)
}

describe('signedAssertion()', () => {
  const now = 1_795_300_000

  test('signedAssertion() signs an assertion for this audience alone (rfc7523bis)', async () => {
    const key = testKey('key-1')
    const source = signedAssertion({ clientId: 'support-bot', key: key.privateJwk, clock: () => now })
    const token = await source.assertion(audience)
    const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet({ keys: [{ ...key.publicJwk }] }), {
      currentDate: new Date(now * 1000),
    })
    expect(payload).toEqual({
      iss: 'support-bot',
      sub: 'support-bot',
      aud: audience,
      iat: now,
      exp: now + 60,
      jti: expect.stringMatching(/^[\w-]{22}$/),
    })
    expect(protectedHeader).toEqual({ alg: 'ES256', kid: 'key-1' })
    expect(await source.assertion(audience)).not.toBe(token)
  })

  test.each(['ES384', 'RS256', 'PS256', 'EdDSA'])('signedAssertion() takes a key for %s', async (alg) => {
    const privateKey = newPrivateKey(alg)
    const publicKey = createPublicKey(privateKey)
    const { kty, ...members } = privateKey.export({ format: 'jwk' })
    const jwk = { ...members, kty: String(kty), alg }
    const source = signedAssertion({ clientId: 'support-bot', subject: 'workload-7', key: jwk })
    const { payload } = await jwtVerify(await source.assertion(audience), publicKey)
    expect(payload.sub).toBe('workload-7')
  })

  test('signedAssertion() authenticates at the broker', async () => {
    const { client, world } = desk({
      identityIn: (world) => {
        const { key } = world.identity('support-bot')
        return signedAssertion({ clientId: 'support-bot', key: key.privateJwk, clock: world.clock.now })
      },
    })
    expect(await client.task(task, async () => true)).toBe(true)
    expect(await world.events({ type: 'task.opened' })).toMatchObject([{ client_id: 'support-bot' }])
  })

  test.each<[string, unknown]>([
    ['no key', undefined],
    ['a public key', testKey().publicJwk],
    ['a symmetric key', { kty: 'oct', k: 'AAAA' }],
    ['a curve nobody takes', { kty: 'EC', crv: 'secp256k1', x: 'a', y: 'b', d: 'c' }],
  ])('signedAssertion() refuses %s', (_name, key) => {
    expect(() => signedAssertion({ clientId: 'support-bot', key: key as never })).toThrow(invalid)
  })

  test('signedAssertion() does not quote a key that cannot be imported', async () => {
    const key = { ...testKey().privateJwk, d: 'CANARY' }
    const failing = signedAssertion({ clientId: 'support-bot', key }).assertion(audience)
    await expect(failing).rejects.toThrow(expect.objectContaining({ code: 'key-unavailable' }))
    await expect(failing).rejects.not.toThrow(/CANARY/)
  })
})

describe('oidcToken() and spiffeJwt()', () => {
  test('they ask their function anew every time, for this audience', async () => {
    const asked: string[] = []
    const next = async (aud: string) => `token-${asked.push(aud)}.b.c`
    const sources: TokenSource[] = [
      oidcToken({ clientId: 'support-bot', token: next }),
      spiffeJwt({ clientId: 'spiffe://acme.test/support-bot', svid: next }),
    ]
    expect(sources.map(({ type }) => type)).toEqual(['jwt-bearer', 'jwt-spiffe'])
    for (const source of sources) await source.assertion(audience)
    expect(asked).toEqual([audience, audience])
  })

  test.each([undefined, '', 'a b', 'x'.repeat(257), 'ü', 7])('they refuse the clientId %s', (clientId) => {
    const bad = clientId as string
    expect(() => oidcToken({ clientId: bad, token: async () => '' })).toThrow(invalid)
    expect(() => spiffeJwt({ clientId: bad, svid: async () => '' })).toThrow(invalid)
    expect(() => fileToken({ clientId: bad, path: '/x' })).toThrow(invalid)
  })

  test('they refuse what is not a function', () => {
    expect(() => oidcToken({ clientId: 'x', token: 'abc' as never })).toThrow(invalid)
    expect(() => spiffeJwt({ clientId: 'x', svid: undefined as never })).toThrow(invalid)
  })
})

describe('fileToken()', () => {
  const directory = mkdtempSync(join(tmpdir(), 'hallpass-'))
  const path = join(directory, 'token')
  afterAll(() => rmSync(directory, { recursive: true }))

  test('fileToken() reads the file anew every time', async () => {
    const source = fileToken({ clientId: 'support-bot', path })
    writeFileSync(path, 'first.b.c\n')
    expect(await source.assertion(audience)).toBe('first.b.c')
    writeFileSync(path, 'second.b.c')
    expect(await source.assertion(audience)).toBe('second.b.c')
  })

  test.each([
    ['is empty', ' \n'],
    ['is too long', 'x'.repeat(9000)],
  ])('fileToken() says so when the file %s', async (_name, content) => {
    writeFileSync(path, content)
    const reading = fileToken({ clientId: 'support-bot', path }).assertion(audience)
    await expect(reading).rejects.toThrow(expect.objectContaining({ code: 'identity-unavailable' }))
  })

  test('fileToken() says so when there is no file', async () => {
    const reading = fileToken({ clientId: 'support-bot', path: join(directory, 'none') }).assertion(audience)
    await expect(reading).rejects.toThrow(expect.objectContaining({ code: 'identity-unavailable' }))
  })

  test('fileToken() needs a path', () => {
    expect(() => fileToken({ clientId: 'support-bot', path: '' })).toThrow(invalid)
  })
})

describe('what an identity source may give', () => {
  test.each([
    ['nothing', ''],
    ['no JWS', 'abc'],
    ['a token that is too long', `a.b.${'c'.repeat(9000)}`],
    ['a token with a line break', 'a.b.c\n'],
    ['no text', 7],
  ])('%s is not sent', async (_name, token) => {
    const identity = { type: 'jwt-bearer', clientId: 'support-bot', assertion: async () => token as string } as const
    const { client, to } = desk({ identity })
    expect(await client.task(task, async () => true)).toMatchObject({ ok: false, reason: 'identity-unavailable' })
    expect(to('/token')).toEqual([])
  })

  test('a source that never answers is given up', async () => {
    const identity = {
      type: 'jwt-bearer',
      clientId: 'support-bot',
      assertion: () => new Promise<string>(() => {}),
    } as const
    const { client } = desk({ identity, brokerTimeoutMs: 5 })
    expect(await client.task(task, async () => true)).toMatchObject({ ok: false, reason: 'identity-unavailable' })
  })
})
