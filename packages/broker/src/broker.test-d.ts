import { memoryLedger, memoryTrail, privateKeyJwt } from '@hallpass/core'
import type { Policy } from '@hallpass/policy'
import { expectTypeOf, test } from 'vitest'
import { createBroker, type Broker } from './broker.ts'
import { generateSigningKeys, signingKeys } from './token/signing-keys.ts'

declare const policy: Policy
declare const broker: Broker
const identity = privateKeyJwt({ audience: 'https://broker.test', subject: 'a', jwks: { keys: [] } })
const parts = {
  issuer: 'https://broker.test',
  policy,
  ledger: memoryLedger({ exactFor: 'one-process' }),
  keys: generateSigningKeys(),
  audit: memoryTrail(),
}

test('createBroker() takes what it needs and nothing it does not know', () => {
  expectTypeOf(createBroker).returns.toEqualTypeOf<Broker>()
  createBroker({ ...parts, apis: [{ audience: 'https://a.test', identity, ledger: 'own' }], nonces: true })
  // @ts-expect-error there is no broker without a trail
  createBroker({ issuer: parts.issuer, policy, ledger: parts.ledger, keys: parts.keys })
  // @ts-expect-error an operator has an identity
  createBroker({ ...parts, operators: [{ id: 'root' }] })
  // @ts-expect-error a ledger is the broker's or the API's own
  createBroker({ ...parts, apis: [{ audience: 'https://a.test', identity, ledger: 'mine' }] })
  // @ts-expect-error nonces cannot be switched off halfway
  createBroker({ ...parts, nonces: 'optional' })
  // @ts-expect-error a shared secret signs nothing here
  signingKeys({ current: { kid: 'a', alg: 'HS256', publicJwk: { kty: 'oct' }, sign: () => new Uint8Array(32) } })
})

test('Broker.revoke() names its target by kind', () => {
  expectTypeOf(broker.revoke({ kind: 'everything' }, 'incident')).resolves.toHaveProperty('grants')
  // @ts-expect-error an agent is named by its client id
  void broker.revoke({ kind: 'agent', txn: 'x' }, 'incident')
  // @ts-expect-error a revocation has a reason
  void broker.revoke({ kind: 'everything' })
})
