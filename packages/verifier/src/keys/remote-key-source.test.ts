import { expect, test } from 'vitest'
import { newKeyPair } from '../../test/test-issuer.ts'
import { remoteKeySource } from './remote-key-source.ts'

const ISSUER = 'https://broker.example/tenant'
const jwk = { ...newKeyPair().publicJwk, kid: 'a' }
const json = (value: unknown, init: ResponseInit = {}) => new Response(JSON.stringify(value), init)

function source(answers: Record<string, () => Response>, issuer = ISSUER) {
  const asked: { url: string; redirect: RequestRedirect | undefined; headers: unknown }[] = []
  const keys = remoteKeySource(issuer, async (url, init) => {
    asked.push({ url, redirect: init.redirect, headers: init.headers })
    expect(init.signal).toBeInstanceOf(AbortSignal)
    return answers[url]?.() ?? new Response(null, { status: 404 })
  })
  return { keys, asked }
}

const METADATA = 'https://broker.example/.well-known/oauth-authorization-server/tenant'
const good = {
  [METADATA]: () => json({ issuer: ISSUER, jwks_uri: 'https://broker.example/jwks' }),
  'https://broker.example/jwks': () =>
    json({ keys: [jwk, 'not a key', 7, null, [jwk], { kty: 'EC' }, { kid: 'b' }, { kty: 'EC', kid: 1 }] }),
}
/** Answers with good keys wherever it is asked. */
const anywhere = (jwks_uri: unknown) => ({
  ...good,
  'https://evil.example/jwks': () => json({ keys: [jwk] }),
  'https://broker.example:8443/jwks': () => json({ keys: [jwk] }),
  'http://broker.example/jwks': () => json({ keys: [jwk] }),
  [METADATA]: () => json({ issuer: ISSUER, jwks_uri }),
})

test('remoteKeySource() reads metadata and key set, and follows no redirect', async () => {
  const { keys, asked } = source(good)
  expect(await keys.load()).toEqual({ keys: [jwk] })
  expect(asked).toEqual([
    { url: METADATA, redirect: 'error', headers: { accept: 'application/json' } },
    { url: 'https://broker.example/jwks', redirect: 'error', headers: { accept: 'application/json' } },
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
  { name: 'keys on another origin', answers: anywhere('https://evil.example/jwks') },
  { name: 'keys on another port', answers: anywhere('https://broker.example:8443/jwks') },
  { name: 'keys over http', answers: anywhere('http://broker.example/jwks') },
  { name: 'a jwks_uri that is a list', answers: anywhere(['https://broker.example/jwks']) },
  { name: 'a jwks_uri that is no URL', answers: anywhere('/jwks') },
  { name: 'no jwks_uri', answers: { ...good, [METADATA]: () => json({ issuer: ISSUER }) } },
  ...[201, 203, 404, 500].map((status) => ({
    name: `metadata with the status ${status}`,
    answers: {
      ...good,
      [METADATA]: () => json({ issuer: ISSUER, jwks_uri: 'https://broker.example/jwks' }, { status }),
    },
  })),
  {
    name: 'keys with an error status',
    answers: { ...good, 'https://broker.example/jwks': () => json({ keys: [jwk] }, { status: 500 }) },
  },
  ...['null', '7', '"text"', '[]', '', '{'].map((text) => ({
    name: `${text} as metadata`,
    answers: { ...good, [METADATA]: () => new Response(text) },
  })),
  ...['null', '[]', '{"keys":{}}', '{"keys":null}'].map((text) => ({
    name: `${text} as key set`,
    answers: { ...good, 'https://broker.example/jwks': () => new Response(text) },
  })),
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

test.each([
  ['https://broker.example', 'https://broker.example/.well-known/oauth-authorization-server'],
  ['https://broker.example/', 'https://broker.example/.well-known/oauth-authorization-server'],
  ['https://broker.example/a/b', 'https://broker.example/.well-known/oauth-authorization-server/a/b'],
])('remoteKeySource() finds the metadata of %s at %s', async (issuer, metadata) => {
  const { keys, asked } = source(
    { ...good, [metadata]: () => json({ issuer, jwks_uri: 'https://broker.example/jwks' }) },
    issuer,
  )
  expect(await keys.load()).toEqual({ keys: [jwk] })
  expect(asked[0]?.url).toBe(metadata)
})

test('remoteKeySource() takes as much as it reads at most', async () => {
  const padded = JSON.stringify({ keys: [jwk] }).padEnd(64 * 1024)
  const of = (text: string) => source({ ...good, 'https://broker.example/jwks': () => new Response(text) }).keys.load()
  expect(await of(padded)).toEqual({ keys: [jwk] })
  await expect(of(`${padded} `)).rejects.toThrow(expect.objectContaining({ code: 'broker-unavailable' }))
})
