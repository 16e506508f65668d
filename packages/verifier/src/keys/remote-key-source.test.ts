import { expect, test } from 'vitest'
import { newKeyPair } from '../../test/test-issuer.ts'
import { remoteKeySource } from './remote-key-source.ts'

const ISSUER = 'https://broker.example/tenant'
const jwk = { ...newKeyPair().publicJwk, kid: 'a' }
const json = (value: unknown, init: ResponseInit = {}) => new Response(JSON.stringify(value), init)

function source(answers: Record<string, () => Response>, issuer = ISSUER) {
  const asked: { url: string; redirect: RequestRedirect | undefined }[] = []
  const keys = remoteKeySource(issuer, async (url, init) => {
    asked.push({ url, redirect: init.redirect })
    return answers[url]?.() ?? new Response(null, { status: 404 })
  })
  return { keys, asked }
}

const METADATA = 'https://broker.example/.well-known/oauth-authorization-server/tenant'
const good = {
  [METADATA]: () => json({ issuer: ISSUER, jwks_uri: 'https://broker.example/jwks' }),
  'https://broker.example/jwks': () => json({ keys: [jwk, 'not a key', { kty: 'EC' }] }),
}

test('remoteKeySource() reads metadata and key set, and follows no redirect', async () => {
  const { keys, asked } = source(good)
  expect(await keys.load()).toEqual({ keys: [jwk] })
  expect(asked).toEqual([
    { url: METADATA, redirect: 'error' },
    { url: 'https://broker.example/jwks', redirect: 'error' },
  ])
})

test.each<{ name: string; answers: Record<string, () => Response> }>([
  {
    name: 'metadata of another issuer',
    answers: {
      ...good,
      [METADATA]: () => json({ issuer: 'https://evil.example', jwks_uri: 'https://broker.example/jwks' }),
    },
  },
  {
    name: 'keys on another origin',
    answers: { ...good, [METADATA]: () => json({ issuer: ISSUER, jwks_uri: 'https://evil.example/jwks' }) },
  },
  {
    name: 'keys over http',
    answers: { ...good, [METADATA]: () => json({ issuer: ISSUER, jwks_uri: 'http://broker.example/jwks' }) },
  },
  { name: 'no jwks_uri', answers: { ...good, [METADATA]: () => json({ issuer: ISSUER }) } },
  { name: 'an error status', answers: { ...good, [METADATA]: () => json({ issuer: ISSUER }, { status: 500 }) } },
  {
    name: 'a duplicate member',
    answers: { ...good, [METADATA]: () => new Response(`{"issuer":"x","issuer":"${ISSUER}"}`) },
  },
  {
    name: 'a key set that is too large',
    answers: { ...good, 'https://broker.example/jwks': () => json({ keys: [], x: 'x'.repeat(70_000) }) },
  },
  { name: 'no key set', answers: { ...good, 'https://broker.example/jwks': () => json({}) } },
])('remoteKeySource() refuses $name', async ({ answers }) => {
  const { keys } = source(answers)
  await expect(keys.load()).rejects.toThrow(expect.objectContaining({ code: 'broker-unavailable' }))
})

test.each([
  'http://broker.example',
  'ftp://broker.example',
  'https://user@broker.example',
  'broker.example',
  'https://broker.example/#x',
])('remoteKeySource() refuses the issuer %s', (issuer) => {
  expect(() => source(good, issuer)).toThrow(expect.objectContaining({ code: 'configuration-invalid' }))
})

test.each(['http://localhost:3000', 'http://127.0.0.1:3000', 'http://[::1]:3000'])(
  'remoteKeySource() takes %s on loopback',
  (issuer) => {
    expect(() => source(good, issuer)).not.toThrow()
  },
)
