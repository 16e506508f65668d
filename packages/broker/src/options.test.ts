import { describe, expect, test } from 'vitest'
import { identityOf, ISSUER, ORDERS, orders, policy, rig } from '../test/rig.ts'
import { createBroker } from './broker.ts'

describe('createBroker() refuses to start', () => {
  test.each([
    ['an issuer over plain http', /issuer must/, { issuer: 'http://broker.test' }],
    ['an issuer with a trailing slash', /issuer must/, { issuer: `${ISSUER}/` }],
    ['an issuer with a query', /issuer must/, { issuer: `${ISSUER}?a` }],
    ['an issuer in another spelling', /issuer must/, { issuer: 'https://BROKER.test' }],
    ['an issuer with a default port', /issuer must/, { issuer: 'https://broker.test:443' }],
    ['an issuer that is no URL', /issuer must/, { issuer: 'broker' }],
    [
      'an API the policy does not know',
      /knows no API/,
      { apis: [{ audience: 'https://unknown.test', identity: identityOf('orders-api') }] },
    ],
    ['an API without audience', /names one audience/, { apis: [{ identity: identityOf('orders-api') }] }],
    [
      'an API of two audiences',
      /names one audience/,
      { apis: [{ api: orders, audience: 'https://stock.test', identity: identityOf('orders-api') }] },
    ],
    [
      'an API twice',
      /share an audience/,
      {
        apis: [
          { audience: ORDERS, identity: identityOf('orders-api') },
          { audience: ORDERS, id: 'b', identity: identityOf('stock-api') },
        ],
      },
    ],
    [
      'an unknown ledger',
      /ledger is/,
      { apis: [{ audience: ORDERS, identity: identityOf('orders-api'), ledger: 'mine' as 'own' }] },
    ],
    [
      'an operator with the identity of an agent',
      /claim the same workload identity/,
      { operators: [{ id: 'root', identity: identityOf('support-bot') }] },
    ],
    [
      'an operator with the id of an agent',
      /share the id/,
      { operators: [{ id: 'support-bot', identity: identityOf('root') }] },
    ],
    [
      'an API with the broker as audience',
      /broker itself as its audience/,
      { policy: { ...policy, apis: [{ ...orders, audience: ISSUER }] } as unknown as typeof policy, apis: [] },
    ],
    ['a task token life without end', /taskTokenSeconds/, { taskTokenSeconds: 901 }],
    ['a task token life of nothing', /taskTokenSeconds/, { taskTokenSeconds: Number.NaN }],
    ['a negative sweep', /sweepSeconds/, { sweepSeconds: -1 }],
    ['a short nonce secret', /secret/, { nonces: { secret: new Uint8Array(8) } }],
    ['a short digest key', /at least 32/, { digestKey: new Uint8Array(8) }],
    [
      'no environment where the policy looks at one',
      /one must be named/,
      { policy: { ...policy, environments: ['prod'] } as unknown as typeof policy },
    ],
    [
      'an environment the policy does not know',
      /knows no environment/,
      { policy: { ...policy, environments: ['prod'] } as unknown as typeof policy, environment: 'dev' },
    ],
  ])('createBroker() refuses %s', (_name, message, options) => {
    expect(() => rig(options)).toThrow(expect.objectContaining({ code: 'configuration-invalid' }) as Error)
    expect(() => rig(options)).toThrow(message)
  })

  test('createBroker() names itself and its policy in the trail', async () => {
    const { events } = rig()
    expect(await events('broker.started')).toMatchObject([{ source: `broker:${ISSUER}`, policy: { version: '7' } }])
    expect(await events('policy.loaded')).toMatchObject([{ policy: { version: '7', digest: policy.digest } }])
  })

  test('createBroker() copies what it is given', () => {
    const options = { issuer: ISSUER, apis: [] }
    const { broker } = rig(options)
    options.issuer = 'https://evil.test'
    expect(broker.issuer).toBe(ISSUER)
    expect(typeof createBroker).toBe('function')
  })
})
