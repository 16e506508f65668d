import { checkGrantClaims, type GrantClaims } from '@hallpass/core'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { grantPayload } from './grant-payload.ts'

const word = fc.oneof(
  fc.string({ minLength: 1, unit: 'binary' }),
  fc.string({ minLength: 1, unit: 'grapheme' }),
  fc.constantFrom('"', '\\', '\u0000', '\u2028', '__proto__', '"},"aud":"x'),
)
const optional = <T>(name: string, value: fc.Arbitrary<T>) =>
  fc.oneof(
    fc.constant({}),
    value.map((made) => ({ [name]: made })),
  )

const claims = fc
  .record({
    words: fc.array(word, { minLength: 14, maxLength: 14 }),
    iat: fc.nat(),
    exp: fc.nat(),
    idx: fc.nat(),
    jkt: fc.constant('A'.repeat(43)),
  })
  .chain(({ words, iat, exp, idx, jkt }) => {
    const [iss, sub, aud, client, jti, txn, uri, version, digest, owner, action, identifier, id, parameter] = words as [
      string,
      ...string[],
    ] &
      string[]
    const fixed = fc.oneof(
      word.map((parameter_digest) => ({ parameter_digest })),
      fc.dictionary(word, fc.record({ equals: fc.jsonValue() })).map((constraints) => ({ constraints })),
    )
    return fc
      .tuple(
        fixed,
        optional('act', fc.record({ sub: word, iss: word })),
        optional('urn:hallpass:on-behalf-of', fc.record({ iss: word, sub: word, tenant: word })),
        optional('cnf', fc.constant({ jkt })),
      )
      .map(
        ([parameters, act, user, cnf]) =>
          ({
            iss,
            sub,
            aud,
            client_id: client,
            iat,
            exp,
            jti,
            txn,
            ...cnf,
            ...act,
            authorization_details: [
              {
                type: 'urn:hallpass:tool-call',
                locations: [aud],
                actions: [action],
                identifier,
                ...parameters,
                limits: [{ id, per: 'task', max: iat, parameter, scale: 2 }],
              },
            ],
            status: { status_list: { idx, uri } },
            'urn:hallpass:policy': { version, digest },
            'urn:hallpass:path': { tasks: [txn], agents: [client], owner },
            ...user,
          }) as unknown as GrantClaims,
      )
  })

describe('grantPayload()', () => {
  test('grantPayload() writes every claim, and no text can become another claim', () => {
    fc.assert(
      fc.property(claims, (made) => {
        expect(JSON.parse(grantPayload(made))).toEqual(JSON.parse(JSON.stringify(made)))
      }),
    )
  })

  test('grantPayload() writes what a verifier reads', () => {
    const policy = { version: '7', digest: 'sha-256:x' }
    const made: GrantClaims = {
      iss: 'https://broker.test',
      sub: 'bot',
      aud: 'https://orders.test',
      client_id: 'bot',
      iat: 1000,
      exp: 1030,
      jti: 'gr_1',
      txn: 'tsk_1',
      cnf: { jkt: 'A'.repeat(43) },
      authorization_details: [
        {
          type: 'urn:hallpass:tool-call',
          locations: ['https://orders.test'],
          actions: ['refund.create'],
          identifier: 'order:"1"',
          parameter_digest: `sha-256:${'A'.repeat(43)}`,
          limits: [{ id: 'calls', per: 'grant', max: 1 }],
        },
      ],
      status: { status_list: { idx: 5, uri: 'https://broker.test/status/a' } },
      'urn:hallpass:policy': policy,
      'urn:hallpass:path': { tasks: ['tsk_1'], agents: ['bot'], owner: 'team:é' },
    }
    const expected = { issuer: 'https://broker.test', audience: 'https://orders.test', now: 1001, skewSeconds: 5 }
    expect(checkGrantClaims(JSON.parse(grantPayload(made)), expected)).toEqual({ ok: true, value: made })
  })
})
