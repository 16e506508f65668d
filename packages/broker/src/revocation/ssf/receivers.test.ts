import { SECURITY_EVENT, type RevocationEntry } from '@hallpass/core'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { keyPair } from '../../../test/holder.ts'
import { claimsOf, identityOf, ISSUER, orders, ORDERS, rig, stock, START } from '../../../test/rig.ts'
import { generateSigningKeys } from '../../token/signing-keys.ts'
import { securityEvent } from './security-event.ts'

const RECEIVER = 'https://siem.test/events'
const apis = [
  { id: 'orders-api', api: orders, identity: identityOf('orders-api') },
  { id: 'stock-api', api: stock, identity: identityOf('stock-api') },
]
const open: ReturnType<typeof rig>[] = []
afterEach(async () => {
  for (const { broker } of open.splice(0)) await broker.close()
})

interface Pushed {
  readonly headers: Headers
  readonly claims: ReturnType<typeof claimsOf>
}

function ssfRig(options: Parameters<typeof rig>[0] = {}) {
  const pushed: Pushed[] = []
  const answers: number[] = []
  const made = rig({
    apis,
    fetch: async (_url, init) => {
      const status = answers.shift() ?? 202
      if (status === 0) throw new TypeError('fetch failed')
      if (status < 300) pushed.push({ headers: new Headers(init.headers), claims: claimsOf(init.body as string) })
      return new Response(null, { status })
    },
    ...options,
  })
  open.push(made)
  const issue = async () => {
    const pair = keyPair()
    const task = (await made.open(pair)).body
    return claimsOf((await made.exchange(pair, task.access_token)).body.access_token)
  }
  const revoke = async (jti: string) => made.broker.revoke({ kind: 'grant', jti }, 'leaked')
  const poll = async (name: 'orders-api' | 'stock-api' | 'root', body: object = {}) => {
    const { json } = await made.caller(name)
    const { status, body: answered } = await json('/ssf/poll', body)
    const sets = Object.entries((answered['sets'] ?? {}) as Record<string, string>)
    return { status, more: answered['moreAvailable'], sets, claims: sets.map(([, token]) => claimsOf(token)) }
  }
  return { ...made, pushed, answers, issue, revoke, poll }
}

const grantEntry: RevocationEntry = {
  kind: 'grant',
  at: START + 0.5,
  reason: 'leaked',
  jti: 'gr_1',
  txn: 'tsk_1',
  audience: ORDERS,
  status: { uri: `${ISSUER}/status/1`, idx: 7 },
  exp: START + 60,
}
const telling = { issuer: ISSUER, audience: 'https://siem.test', now: START + 1 }
const read = (entry: RevocationEntry, more: object = {}) => {
  const event = securityEvent(entry, { ...telling, ...more })
  return event && (JSON.parse(event.payload) as Record<string, unknown>)
}

describe('securityEvent()', () => {
  test('says of one grant what SSF asks for: one event, the subject in sub_id, no exp and no sub', () => {
    const claims = read(grantEntry)
    expect(claims).toEqual({
      iss: ISSUER,
      aud: 'https://siem.test',
      iat: START + 1,
      jti: expect.stringMatching(/^set_[\w-]{22}$/),
      txn: 'tsk_1',
      sub_id: { format: 'jwt_id', iss: ISSUER, jti: 'gr_1' },
      events: {
        [SECURITY_EVENT.grantRevoked]: {
          event_timestamp: START,
          reason_admin: { en: 'leaked' },
          subject_exp: START + 60,
        },
      },
    })
  })

  test.each<[RevocationEntry & { kind: 'stop' }, string, unknown]>([
    [stopOf({ kind: 'agent', clientId: 'support-bot' }), SECURITY_EVENT.sessionRevoked, 'support-bot'],
    [stopOf({ kind: 'everything' }), SECURITY_EVENT.stopped, '{"kind":"everything"}'],
    [stopOf({ kind: 'owner', owner: 'team:x' }), SECURITY_EVENT.stopped, '{"kind":"owner","owner":"team:x"}'],
  ])('says of %j what others understand', (entry, type, id) => {
    const claims = read(entry)
    expect(claims?.['sub_id']).toEqual({ format: 'opaque', id })
    expect(Object.keys(claims?.['events'] as object)).toEqual([type])
  })

  test('has one jti for one line, and another for another line or receiver', () => {
    const jtiOf = (entry: RevocationEntry, more: object = {}) => read(entry, more)?.['jti']
    expect(jtiOf(grantEntry, { now: START + 99 })).toBe(jtiOf(grantEntry))
    const others = [jtiOf({ ...grantEntry, jti: 'gr_2' }), jtiOf(grantEntry, { audience: 'https://other.test' })]
    expect(new Set([jtiOf(grantEntry), ...others]).size).toBe(3)
  })

  test('says nothing of what was lifted, nor to an API what is not about it', () => {
    const lift = { ...stopOf({ kind: 'everything' }), kind: 'lift', cutOff: START } as const
    expect(read(lift)).toBeUndefined()
    expect(read(grantEntry, { about: 'https://stock.test' })).toBeUndefined()
    expect(read(stopOf({ kind: 'agent', clientId: 'x' }), { about: ORDERS })).toBeUndefined()
    expect(read(stopOf({ kind: 'everything' }), { about: ORDERS })).toBeDefined()
  })
})

describe('push (RFC 8935)', () => {
  const receivers = [{ audience: 'https://siem.test', url: RECEIVER, authorization: () => 'Bearer secret' }]

  test('delivers every revocation, signed, to the receiver', async () => {
    const { pushed, issue, revoke, broker } = ssfRig({ receivers })
    const grant = await issue()
    await revoke(grant.jti)
    await broker.revoke({ kind: 'agent', clientId: 'support-bot' }, 'incident')
    await vi.waitFor(() => expect(pushed.length).toBe(2))
    expect(pushed[0]?.headers.get('content-type')).toBe('application/secevent+jwt')
    expect(pushed[0]?.headers.get('authorization')).toBe('Bearer secret')
    expect(pushed[0]?.claims).toMatchObject({ aud: 'https://siem.test', sub_id: { jti: grant.jti } })
    expect(pushed[1]?.claims['events']).toHaveProperty([SECURITY_EVENT.sessionRevoked])
    expect(broker.deliveries()).toEqual([{ audience: 'https://siem.test', delivered: 2, refused: 0, failures: 0 }])
  })

  test.each([0, 500, 401, 302])('tries again after %d, and loses nothing', async (answer) => {
    const { pushed, answers, issue, revoke, broker } = ssfRig({ receivers })
    answers.push(answer, answer)
    const [first, second] = [await issue(), await issue()]
    await revoke(first.jti)
    await vi.waitFor(() => expect(broker.deliveries()[0]?.failures).toBe(1))
    await revoke(second.jti)
    await vi.waitFor(() => expect(pushed.length).toBe(2), { timeout: 5000 })
    const subjects = pushed.map(({ claims }) => (claims['sub_id'] as { jti: string }).jti)
    expect(subjects).toEqual([first.jti, second.jti])
    expect(broker.deliveries()[0]?.failures).toBe(0)
  })

  test('does not insist on what the receiver calls wrong', async () => {
    const { pushed, answers, issue, revoke, broker } = ssfRig({ receivers })
    answers.push(400)
    const [first, second] = [await issue(), await issue()]
    await revoke(first.jti)
    await vi.waitFor(() => expect(broker.deliveries()[0]?.refused).toBe(1))
    await revoke(second.jti)
    await vi.waitFor(() => expect(pushed.length).toBe(1))
  })

  test.each([
    [{ audience: 'x', url: 'http://siem.test' }],
    [{ audience: '', url: RECEIVER }],
    [{ audience: 'x', url: RECEIVER, about: 'https://nobody.test' }],
  ])('refuses the receiver %j', (receiver) => {
    expect(() => rig({ receivers: [receiver] })).toThrow(expect.objectContaining({ code: 'configuration-invalid' }))
  })
})

describe('POST /ssf/poll (RFC 8936)', () => {
  test('gives an event until it is acknowledged, and to each API only its own', async () => {
    const { issue, revoke, poll } = ssfRig()
    const grant = await issue()
    await revoke(grant.jti)
    const first = await poll('orders-api')
    expect([first.status, first.more, first.claims.length]).toEqual([200, false, 1])
    expect(first.claims[0]).toMatchObject({ aud: ORDERS, sub_id: { jti: grant.jti }, jti: first.sets[0]?.[0] })
    expect((await poll('orders-api')).sets).toEqual(first.sets)
    expect((await poll('stock-api')).sets).toEqual([])
    expect((await poll('orders-api', { ack: [first.sets[0]?.[0]] })).sets).toEqual([])
    const next = await issue()
    await revoke(next.jti)
    expect((await poll('orders-api')).claims).toMatchObject([{ sub_id: { jti: next.jti } }])
  })

  test('gives an operator everything, and does not repeat what was called wrong', async () => {
    const { issue, revoke, poll, broker } = ssfRig()
    await revoke((await issue()).jti)
    await broker.revoke({ kind: 'owner', owner: 'team:support' }, 'incident')
    const { sets, claims } = await poll('root')
    expect(claims.map(({ aud }) => aud)).toEqual(['root', 'root'])
    const setErrs = Object.fromEntries(sets.map(([jti]) => [jti, { err: 'invalid_request', description: 'x' }]))
    expect((await poll('root', { setErrs })).sets).toEqual([])
  })

  test('gives no more than was asked for, and says that there is more', async () => {
    const { issue, revoke, poll } = ssfRig()
    for (let n = 0; n < 3; n += 1) await revoke((await issue()).jti)
    const some = await poll('orders-api', { maxEvents: 2 })
    expect([some.sets.length, some.more]).toEqual([2, true])
    const rest = await poll('orders-api', { ack: some.sets.map(([jti]) => jti) })
    expect([rest.sets.length, rest.more]).toEqual([1, false])
    expect((await poll('orders-api', { maxEvents: 0, ack: [] })).sets).toEqual([])
  })

  test('loses nothing to a signer that fails in the middle of a page', async () => {
    const keys = generateSigningKeys()
    const signer = keys.current()
    const state = { signatures: Infinity }
    const sign = (input: Uint8Array) => {
      if ((state.signatures -= 1) < 0) throw new Error('the key store is down')
      return signer.sign(input)
    }
    const { issue, revoke, caller } = ssfRig({ keys: { ...keys, current: () => ({ ...signer, sign }) } })
    for (let n = 0; n < 3; n += 1) await revoke((await issue()).jti)
    const { json } = await caller('orders-api')
    state.signatures = 1
    expect((await json('/ssf/poll', {})).status).toBe(503)
    state.signatures = Infinity
    const got: string[] = []
    for (let asked = 0; asked < 4; asked += 1) {
      const { body } = await json('/ssf/poll', { ack: got })
      got.push(...Object.keys(body['sets'] as object))
    }
    expect(got).toHaveLength(3)
  })

  test('loses nothing to receivers that ask twice at once', async () => {
    const { issue, revoke, poll } = ssfRig()
    for (let n = 0; n < 3; n += 1) await revoke((await issue()).jti)
    const both = await Promise.all([poll('orders-api'), poll('orders-api'), poll('orders-api', { ack: [] })])
    expect(both.map(({ sets }) => sets.length)).toEqual([3, 3, 3])
    expect((await poll('orders-api')).sets.length).toBe(3)
  })

  test.each([{ maxEvents: -1 }, { maxEvents: '1' }, { ack: 'x' }, { ack: [1] }, { setErrs: [] }, []])(
    'refuses %j',
    async (body) => {
      const { poll } = ssfRig()
      expect((await poll('orders-api', body)).status).toBe(400)
    },
  )

  test('is for registered callers', async () => {
    const { send } = ssfRig()
    const headers = { 'content-type': 'application/json' }
    expect((await send('/ssf/poll', { method: 'POST', body: '{}', headers })).status).toBe(401)
  })
})

function stopOf(target: Extract<RevocationEntry, { kind: 'stop' }>['target']) {
  return { kind: 'stop', at: START, reason: 'incident', target } as const
}
