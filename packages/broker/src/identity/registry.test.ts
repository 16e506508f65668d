import { oidc, privateKeyJwt, spiffe, type WorkloadIdentity } from '@hallpass/core'
import { describe, expect, test } from 'vitest'
import { keyPair } from '../../test/holder.ts'
import { claimsMatch, createRegistry, placeOf } from './registry.ts'

const BROKER = 'https://broker.test'
const jwks = { keys: [{ ...keyPair().publicJwk, kid: 'k' }] }
const repo = (claims: Record<string, string>) =>
  oidc({ issuer: 'https://ci.test', audience: BROKER, subject: 'repo', claims })
const own = (subject: string) => privateKeyJwt({ audience: BROKER, subject, jwks })
const registryOf = (identities: Record<string, WorkloadIdentity>) =>
  createRegistry(
    Object.entries(identities).map(([id, identity]) => ({ kind: 'operator' as const, id, identity })),
    BROKER,
  )

describe('createRegistry()', () => {
  test('createRegistry() finds a registrant at its pinned subject only', () => {
    const registry = registryOf({ bot: own('bot'), ci: repo({ ref: 'main' }) })
    expect(registry.at(placeOf.private_key_jwt('bot')).map(({ id }) => id)).toEqual(['bot'])
    expect(registry.at(placeOf.oidc('https://ci.test', 'repo')).map(({ id }) => id)).toEqual(['ci'])
    expect(registry.at(placeOf.oidc('https://ci.test', 'bot'))).toEqual([])
    expect(registry.at('__proto__')).toEqual([])
  })

  test('createRegistry() takes two agents of one subject whose pinned claims exclude each other', () => {
    const registry = registryOf({ main: repo({ ref: 'main' }), release: repo({ ref: 'release' }) })
    const candidates = registry.at(placeOf.oidc('https://ci.test', 'repo'))
    expect(candidates.filter(({ identity }) => claimsMatch(identity, { ref: 'main' })).map(({ id }) => id)).toEqual([
      'main',
    ])
  })

  test.each([
    ['two agents of one subject', { a: own('bot'), b: own('bot') }],
    [
      'two agents of one SPIFFE ID',
      {
        a: spiffe({ id: 'spiffe://x.test/a', audience: BROKER, bundle: jwks }),
        b: spiffe({ id: 'spiffe://x.test/a', audience: BROKER, bundle: jwks }),
      },
    ],
    ['two agents whose claims one token can satisfy', { a: repo({ ref: 'main' }), b: repo({ environment: 'prod' }) }],
    ['one agent whose claims are part of the other', { a: repo({}), b: repo({ ref: 'main' }) }],
    [
      'an identity made for another audience',
      { a: privateKeyJwt({ audience: 'https://other.test', subject: 'bot', jwks }) },
    ],
    ['an identity of this broker', { a: oidc({ issuer: BROKER, audience: BROKER, subject: 'bot' }) }],
    [
      'an issuer that is its own subject',
      { a: oidc({ issuer: 'https://ci.test', audience: BROKER, subject: 'https://ci.test' }) },
    ],
    ['an identity without a subject', { a: { ...own('bot'), subject: '' } }],
    ['an identity without keys', { a: { ...own('bot'), jwks: { keys: [] } } }],
    ['a number of keys that is none', { a: { ...own('bot'), keysPerAssertion: 0 } }],
  ])('createRegistry() refuses %s', (_name, identities) => {
    expect(() => registryOf(identities)).toThrow(expect.objectContaining({ code: 'configuration-invalid' }) as Error)
  })

  test('createRegistry() refuses one id for an agent and an API', () => {
    const twice = [
      { kind: 'operator' as const, id: 'a', identity: own('x') },
      { kind: 'operator' as const, id: 'a', identity: own('y') },
    ]
    expect(() => createRegistry(twice, BROKER)).toThrow(/share the id/)
  })
})
