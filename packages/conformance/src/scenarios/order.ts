import assert from 'node:assert/strict'
import { signJws, testKey } from '@hallpass/testing'
import { atEachDoor, type Scenario } from '../scenario.ts'
import { told, type Stage } from '../stage/stage.ts'

const parts = (token: string): [string, string, string] => token.split('.') as [string, string, string]
const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
const decode = (part: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as Record<string, unknown>

async function held(stage: Stage) {
  const token = await stage.readGrant(await stage.task())
  const [header, payload, signature] = parts(token)
  return { token, header, payload, signature }
}

/** The order of the verifier: credential, preflight, algorithm, signature, cache. */
export const order: readonly Scenario[] = [
  atEachDoor(['order.one-credential'], 'refuses two credentials, and a token outside its header', async (stage) => {
    const { token } = await held(stage)
    const proof = () => stage.agent.proof({ method: 'GET', url: 'https://orders.test/orders/123', token })
    const get = (headers: readonly string[], target = '/orders/123') => stage.send({ target, headers })
    const credential = ['authorization', `DPoP ${token}`]
    assert.equal(told(await get([...credential, ...credential, 'dpop', proof()])), '400 request-malformed')
    assert.match(told(await get([...credential, 'dpop', proof(), 'dpop', proof()])), /^40[01] /)
    assert.equal(told(await get(['dpop', proof()], `/orders/123?access_token=${token}`)), '400 request-malformed')
    assert.equal(
      told(await get([...credential, 'dpop', proof()], `/orders/123?access_token=${token}`)),
      '400 request-malformed',
    )
    assert.equal(told(await get([])), '401 credentials-missing')
    assert.equal(stage.runs.length, 0)
    assert.equal(told(await stage.readOrder(token)), '200')
  }),
  atEachDoor(['order.preflight'], 'refuses what is not a canonical compact JWS', async (stage) => {
    const { token, header, payload, signature } = await held(stage)
    const claims = Buffer.from(payload, 'base64url').toString('utf8')
    const doubled = encode(`{"aud":"https://evil.test",${claims.slice(1)}`)
    const last = signature.at(-1) ?? 'A'
    const malleated = signature.slice(0, -1) + ({ A: 'B', Q: 'R', g: 'h', w: 'x' }[last] ?? 'B')
    const forms = [
      `${header}.${doubled}.${signature}`,
      `${header}.${payload}.${malleated}`,
      `${header}.${payload}.${signature}==`,
      `${header}.${payload}.`,
      `${header}.${payload}`,
      `${token}.${signature}`,
      `${header}.${encode(`\ufeff${claims}`)}.${signature}`,
    ]
    for (const form of forms) assert.match(told(await stage.readOrder(form)), /^40[01] /)
    assert.equal(stage.runs.length, 0)
    assert.equal(told(await stage.readOrder(token)), '200')
  }),
  atEachDoor(
    ['order.algorithm'],
    'refuses alg none, HMAC under the public key, and keys in the header',
    async (stage) => {
      const { token, header, payload, signature } = await held(stage)
      const thief = testKey()
      const named = decode(header)
      const forms = [
        `${encode({ ...named, alg: 'none' })}.${payload}.${signature}`,
        `${encode({ ...named, alg: 'HS256' })}.${payload}.${signature}`,
        `${encode({ ...named, alg: 'es256' })}.${payload}.${signature}`,
        signJws({ ...named, jwk: thief.publicJwk }, decode(payload), thief.privateKey),
        signJws({ ...named, jku: 'https://evil.test/jwks' }, decode(payload), thief.privateKey),
        signJws({ ...named, crit: ['x'], x: 1 }, decode(payload), stage.world.brokerKey.privateKey),
        signJws({ ...named, typ: 'JWT' }, decode(payload), stage.world.brokerKey.privateKey),
      ]
      for (const form of forms) assert.equal(told(await stage.readOrder(form)), '401 grant-invalid')
      assert.equal(stage.runs.length, 0)
      assert.equal(told(await stage.readOrder(token)), '200')
    },
  ),
  atEachDoor(
    ['order.signature', 'cache.whole-token'],
    'refuses a forged token that reuses a live jti, seen before or not',
    async (stage) => {
      const { token, header, payload, signature } = await held(stage)
      const forge = () => signJws(decode(header), decode(payload), testKey().privateKey)
      assert.equal(told(await stage.readOrder(forge())), '401 grant-invalid')
      assert.equal(told(await stage.readOrder(token)), '200')
      assert.equal(told(await stage.readOrder(forge())), '401 grant-invalid')
      const wider = decode(payload)
      const swapped = `${header}.${encode({ ...wider, exp: Number(wider['exp']) + 600 })}.${signature}`
      assert.equal(told(await stage.readOrder(swapped)), '401 grant-invalid', 'a known signature under other claims')
      assert.equal(stage.runs.length, 1)
    },
  ),
  atEachDoor(
    ['cache.never-state', 'clock.replay'],
    'checks a token it has seen for uses, replay and revocation again',
    async (stage) => {
      const { token } = await held(stage)
      const proof = stage.agent.proof({ method: 'GET', url: 'https://orders.test/orders/123', token })
      const again = () =>
        stage.send({ target: '/orders/123', headers: ['authorization', `DPoP ${token}`, 'dpop', proof] })
      assert.equal(told(await again()), '200')
      assert.equal(told(await again()), '401 proof-invalid')
      for (const wait of [30, 29, 2]) {
        stage.clock.advance(wait)
        assert.match(told(await again()), /^401 /, 'a proof is never accepted a second time')
      }
      assert.equal(stage.runs.length, 1)
    },
  ),
  atEachDoor(
    ['register.first', 'incarnation.boot', 'closed.unknown'],
    'refuses what the ledger does not know, however well it is signed',
    async (stage) => {
      const { token, header, payload } = await held(stage)
      const sign = (claims: Record<string, unknown>) =>
        signJws(decode(header), claims, stage.world.brokerKey.privateKey)
      const claims = decode(payload)
      assert.equal(told(await stage.readOrder(sign({ ...claims, jti: 'gr_unknown' }))), '401 grant-invalid')
      const [entry] = claims['authorization_details'] as [Record<string, unknown>]
      for (const odd of [
        { ...entry, extra: true },
        { ...entry, type: 'urn:other' },
        { ...entry, actions: ['order.read', 'refund.create'] },
      ]) {
        assert.equal(
          told(await stage.readOrder(sign({ ...claims, authorization_details: [odd] }))),
          '401 grant-invalid',
        )
      }
      const { parameter_digest: _digest, ...open } = entry
      assert.match(
        told(
          await stage.readOrder(
            sign({ ...claims, authorization_details: [{ ...open, constraints: { x: { regex: '.*' } } }] }),
          ),
        ),
        /^40[13] /,
      )
      assert.equal(
        told(await stage.readOrder(sign({ ...claims, exp: Number(claims['exp']) + 3600 }))),
        '401 grant-invalid',
      )
      assert.equal(stage.runs.length, 0)
      assert.equal(told(await stage.readOrder(token)), '200')
    },
  ),
]
