import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { jwtVerify } from 'jose'
import { createLocalJWKSet } from 'jose'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { localDev } from './local-dev.ts'

const audience = 'http://localhost:3000'
let directory = ''

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'local-dev-'))
})
afterEach(() => {
  rmSync(directory, { recursive: true, force: true })
  vi.unstubAllEnvs()
})

const claimsOf = async (identity: ReturnType<typeof localDev>) =>
  jwtVerify(await identity.assertion(audience), createLocalJWKSet(identity.jwks as never), {
    audience,
    issuer: identity.clientId,
    subject: identity.clientId,
  })

describe('localDev()', () => {
  test('proves itself by an RFC 7523 assertion of a minute', async () => {
    const { payload, protectedHeader } = await claimsOf(localDev('support-bot', { audience }))
    expect(payload).toEqual({
      iss: 'support-bot',
      sub: 'support-bot',
      aud: audience,
      iat: expect.any(Number),
      exp: (payload.iat ?? 0) + 60,
      jti: expect.stringMatching(/^[A-Za-z0-9_-]{22}$/),
    })
    expect(protectedHeader).toEqual({ alg: 'ES256', typ: 'JWT' })
  })

  test('makes a new assertion each time', async () => {
    const identity = localDev('support-bot', { audience })
    expect(await identity.assertion(audience)).not.toBe(await identity.assertion(audience))
  })

  test('registers what it runs with, and only the public part', () => {
    const identity = localDev('support-bot', { audience, directory })
    expect(identity).toMatchObject({
      kind: 'private_key_jwt',
      type: 'jwt-bearer',
      clientId: 'support-bot',
      subject: 'support-bot',
      audience,
    })
    expect(Object.keys(identity.jwks.keys[0] ?? {}).sort()).toEqual(['alg', 'crv', 'kty', 'use', 'x', 'y'])
    expect(JSON.stringify(identity)).not.toContain('"d"')
  })

  test('is the same identity again in this process, and another for another name', () => {
    expect(localDev('a-bot', { audience }).jwks).toEqual(localDev('a-bot', { audience }).jwks)
    expect(localDev('a-bot', { audience }).jwks).not.toEqual(localDev('b-bot', { audience }).jwks)
  })

  test('shares its key through a directory, for its owner only', () => {
    const first = localDev('support-bot', { audience, directory: join(directory, 'keys') })
    expect(localDev('support-bot', { audience, directory: join(directory, 'keys') }).jwks).toEqual(first.jwks)
    expect(localDev('support-bot', { audience }).jwks).not.toEqual(first.jwks)
    expect(readdirSync(join(directory, 'keys'))).toEqual(['support-bot.key.pem'])
    expect(statSync(join(directory, 'keys', 'support-bot.key.pem')).mode & 0o777).toBe(0o600)
    expect(statSync(join(directory, 'keys')).mode & 0o777).toBe(0o700)
  })

  test('throws for a key file that is none', () => {
    writeFileSync(join(directory, 'support-bot.key.pem'), 'not a key')
    expect(() => localDev('support-bot', { audience, directory })).toThrow(
      expect.objectContaining({ code: 'key-unavailable' }),
    )
  })

  test.each([
    'https://broker.example',
    'http://localhost.evil.example',
    'http://127.0.0.1.evil.example',
    'http://evil.example/localhost',
    'http://localhost@evil.example',
    'http://0.0.0.0:3000',
    'http://10.0.0.1',
    'localhost',
    'ftp://localhost',
    '',
  ])('refuses the audience %j', async (other) => {
    expect(() => localDev('support-bot', { audience: other })).toThrow(
      expect.objectContaining({ code: 'not-for-production' }),
    )
    const identity = localDev('support-bot', { audience })
    await expect(async () => identity.assertion(other)).rejects.toMatchObject({ code: 'not-for-production' })
  })

  test.each(['http://localhost', 'https://localhost:8443/broker', 'http://127.0.0.1:3000', 'http://[::1]:3000'])(
    'takes the audience %s',
    (other) => {
      expect(localDev('support-bot', { audience: other }).audience).toBe(other)
    },
  )

  test('refuses production, when made and when used', async () => {
    const identity = localDev('support-bot', { audience })
    vi.stubEnv('NODE_ENV', 'production')
    expect(() => localDev('support-bot', { audience })).toThrow(expect.objectContaining({ code: 'not-for-production' }))
    await expect(async () => identity.assertion(audience)).rejects.toMatchObject({ code: 'not-for-production' })
  })

  test.each(['', '.', '..', '../a', 'a/b', 'a\\b', 'a b', '.hidden', 'a\u0000', 'x'.repeat(65)])(
    'refuses the name %j',
    (name) => {
      expect(() => localDev(name, { audience, directory })).toThrow(
        expect.objectContaining({ code: 'configuration-invalid' }),
      )
    },
  )
})
