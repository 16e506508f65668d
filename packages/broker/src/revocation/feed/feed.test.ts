import { type FeedRun, type Ledger, SECURITY_EVENT } from '@hallpass/core'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { keyPair, prove, type KeyPair } from '../../../test/holder.ts'
import { claimsOf, identityOf, ISSUER, orders, rig, stock } from '../../../test/rig.ts'

const apis = [
  { id: 'orders-api', api: orders, identity: identityOf('orders-api') },
  { id: 'stock-api', api: stock, identity: identityOf('stock-api') },
]
const open: ReturnType<typeof rig>[] = []
afterEach(async () => {
  for (const { broker } of open.splice(0)) await broker.close()
})

function feedRig(options: Parameters<typeof rig>[0] = {}) {
  const made = rig({ apis, ...options })
  open.push(made)
  const connect = async (api: 'orders-api' | 'stock-api' = 'orders-api', more: Record<string, string> = {}) => {
    const { token, pair } = await made.caller(api)
    const response = await made.broker.fetch(eventsRequest({ token, pair, iat: made.time.now, more }))
    return { response, next: reader(response) }
  }
  const issue = async () => {
    const pair = keyPair()
    const task = (await made.open(pair)).body
    return claimsOf((await made.exchange(pair, task.access_token)).body.access_token)
  }
  const idxOf = (claims: ReturnType<typeof claimsOf>) =>
    (claims['status'] as { status_list: { idx: number; uri: string } }).status_list.idx
  const revoke = async (jti: string) => made.broker.revoke({ kind: 'grant', jti }, 'leaked')
  return { ...made, connect, issue, idxOf, revoke }
}

interface Caller {
  readonly token: string
  readonly pair: KeyPair
  readonly iat: number
  readonly more?: Record<string, string>
}

const eventsRequest = ({ token, pair, iat, more }: Caller, url = `${ISSUER}/events`) =>
  new Request(url, {
    headers: {
      authorization: `DPoP ${token}`,
      dpop: prove(pair, { url: `${ISSUER}/events`, method: 'GET', iat, accessToken: token }),
      ...more,
    },
  })

/** One message at a time: its id, claims and run. */
function reader(response: Response) {
  const body = response.body?.getReader()
  return async () => {
    const read = await body?.read()
    if (read?.value === undefined) return undefined
    const text = new TextDecoder().decode(read.value)
    const [, id = '', token = ''] = /^id: ([\w-]+)\nevent: revocations\ndata: (\S+)\n\n$/.exec(text) ?? []
    const claims = claimsOf(token)
    const run = (claims['events'] as Record<string, FeedRun>)[SECURITY_EVENT.revocations]
    const header = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as object
    return { id, claims, header, run }
  }
}

describe('GET /events', () => {
  test('begins with everything that is dead, then tells what dies, each message after the one before', async () => {
    const { connect, issue, idxOf, revoke, time } = feedRig()
    const [first, second] = [await issue(), await issue()]
    await revoke(first.jti)
    const { response, next } = await connect()
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream'])
    const one = await next()
    expect(one?.header).toMatchObject({ typ: 'secevent+jwt', alg: 'ES256' })
    expect(one?.claims).toMatchObject({ iss: ISSUER, aud: 'https://orders.test', iat: time.now, txn: first.txn })
    expect(one?.run).toMatchObject({ prev: null, at: time.now, complete: true, dead: [{ idx: [idxOf(first)] }] })
    await revoke(second.jti)
    const two = await next()
    expect(two?.run).toMatchObject({ prev: one?.run?.cursor, complete: true, dead: [{ idx: [idxOf(second)] }] })
    expect(new Set([one?.claims.jti, two?.claims.jti]).size).toBe(2)
  })

  test('goes on from the place the reader was at', async () => {
    const { connect, issue, idxOf, revoke } = feedRig()
    const { next } = await connect()
    const start = await next()
    const grant = await issue()
    await revoke(grant.jti)
    const resumed = await connect('orders-api', { 'last-event-id': start?.id ?? '' })
    expect((await resumed.next())?.run).toMatchObject({ prev: start?.run?.cursor, dead: [{ idx: [idxOf(grant)] }] })
  })

  test.each(['nonsense', '!!!', '', 'x'.repeat(5000), Buffer.from('mem_other.7').toString('base64url')])(
    'begins at the start for a place that is none: %.20s',
    async (place) => {
      const { connect, issue, idxOf, revoke } = feedRig()
      const grant = await issue()
      await revoke(grant.jti)
      const { next } = await connect('orders-api', { 'last-event-id': place })
      expect((await next())?.run).toMatchObject({ prev: null, dead: [{ idx: [idxOf(grant)] }] })
    },
  )

  test('sends a long log in several messages, complete with the last', async () => {
    const { connect, ledger } = feedRig()
    const task = await manyDead(ledger, 1200)
    const { next } = await connect()
    const runs = [await next(), await next(), await next()].map((message) => message?.run)
    expect(runs.map((run) => run?.complete)).toEqual([false, false, true])
    expect(runs[1]?.prev).toBe(runs[0]?.cursor)
    expect(runs.flatMap((run) => run?.dead.flatMap(({ idx }) => idx) ?? []).length).toBe(task)
  })

  test('signs once for all who are at one place', async () => {
    const { connect, issue, revoke } = feedRig()
    const streams = [await connect(), await connect(), await connect()]
    for (const { next } of streams) await next()
    const grant = await issue()
    await revoke(grant.jti)
    const messages = await Promise.all(streams.map(async ({ next }) => (await next())?.claims.jti))
    expect(new Set(messages).size).toBe(1)
  })

  test('beats with the time up to which everything is known, and not while the ledger is silent', async () => {
    let isDown = false
    const wrapLedger = (ledger: Ledger): Ledger => ({
      ...ledger,
      revocations: async (from) => {
        if (isDown) throw new Error('down')
        return ledger.revocations(from)
      },
    })
    const { connect, time } = feedRig({ feed: { heartbeatSeconds: 0.05 }, wrapLedger })
    const { next } = await connect()
    const first = await next()
    time.now += 1
    const beat = await next()
    expect(beat?.run).toMatchObject({ prev: first?.run?.cursor, at: time.now, complete: true, dead: [] })
    isDown = true
    time.now += 1
    const later = next()
    const silent = await Promise.race([later, new Promise((resolve) => setTimeout(resolve, 200, 'silent'))])
    isDown = false
    expect(silent).toBe('silent')
    expect((await later)?.run).toMatchObject({ at: time.now })
  })

  test('beats when nothing was said for a heartbeat, and not sooner after a message about something', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    try {
      const { connect, issue, revoke, idxOf, time } = feedRig({ feed: { heartbeatSeconds: 10 } })
      const { next } = await connect()
      await next()
      const grant = await issue()
      await vi.advanceTimersByTimeAsync(6000)
      time.now += 6
      await revoke(grant.jti)
      expect((await next())?.run).toMatchObject({ complete: true, dead: [{ idx: [idxOf(grant)] }] })
      let isBeaten = false
      const beat = next().finally(() => (isBeaten = true))
      await vi.advanceTimersByTimeAsync(9900)
      time.now += 10
      expect(isBeaten).toBe(false)
      await vi.advanceTimersByTimeAsync(5100)
      expect((await beat)?.run).toMatchObject({ at: time.now, complete: true, dead: [] })
    } finally {
      vi.useRealTimers()
    }
  })

  test('sends away a reader that does not read, and keeps the others', async () => {
    const { connect, ledger, broker } = feedRig()
    const slow = await connect()
    const good = await connect()
    await good.next()
    await slow.next()
    const told = manyDeadIn(ledger, broker, 25)
    let seen = 0
    while (seen < 25 * 500) seen += (await good.next())?.run?.dead.reduce((sum, { idx }) => sum + idx.length, 0) ?? 1e9
    await told
    expect(seen).toBe(25 * 500)
    let left = 0
    while ((await slow.next()) !== undefined) left += 1
    expect(left).toBeLessThan(25)
  })

  test('takes no more streams than it may', async () => {
    const { connect } = feedRig({ feed: { maxSubscribers: 1 } })
    const first = await connect()
    const second = await connect()
    expect([first.response.status, second.response.status]).toEqual([200, 503])
    expect(second.response.headers.get('retry-after')).toBe('2')
    await first.response.body?.cancel().catch(() => undefined)
  })

  test('ends with the token that opened it', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const { connect } = feedRig()
      const { next } = await connect()
      expect(await next()).toBeDefined()
      vi.advanceTimersByTime(300_001)
      expect(await next()).toBeUndefined()
    } finally {
      vi.useRealTimers()
    }
  })

  test('ends with the broker, and does not begin again at one that ends', async () => {
    const { connect, broker } = feedRig()
    const { next } = await connect()
    await next()
    const closed = broker.close()
    expect(await next()).toBeUndefined()
    expect((await connect()).response.status).toBe(503)
    await closed
    expect((await connect()).response.status).toBe(503)
  })

  test('is for registered APIs, each with its own fresh proof', async () => {
    const { broker, caller, time, open: openTask } = feedRig()
    const { token, pair } = await caller('orders-api')
    const root = await caller('root')
    const agent = keyPair()
    const task = (await openTask(agent)).body.access_token
    const iat = time.now
    const send = async (request: Request) => (await broker.fetch(request)).status
    const good = eventsRequest({ token, pair, iat })
    expect(await send(good.clone())).toBe(200)
    expect(await send(good)).toBe(401)
    expect(await send(new Request(`${ISSUER}/events`))).toBe(401)
    expect(await send(eventsRequest({ token, pair: keyPair(), iat }))).toBe(401)
    expect(await send(eventsRequest({ token: root.token, pair: root.pair, iat }))).toBe(401)
    expect(await send(eventsRequest({ token: task, pair: agent, iat }))).toBe(401)
    expect(await send(eventsRequest({ token, pair, iat }, `${ISSUER}/events?after=x`))).toBe(400)
    const post = prove(pair, { url: `${ISSUER}/events`, iat, accessToken: token })
    expect(await send(eventsRequest({ token, pair, iat, more: { dpop: post } }))).toBe(401)
    expect(await send(new Request(`${ISSUER}/events`, { method: 'POST' }))).toBe(405)
  })
})

/** A task with this many grants, and its end. */
async function manyDead(
  ledger: Ledger,
  count: number,
  listOf = (_n: number) => `${ISSUER}/status/bulk-0`,
): Promise<number> {
  const now = await ledger.now()
  const policy = { version: '7', digest: 'x' }
  const base = { clientId: 'bulk', owner: 'team:bulk', policy, incarnation: ledger.incarnation, jkt: 'x' }
  const txn = `tsk_${Math.random()}`
  const times = { openedAt: now, deadline: now + 600 }
  const identity = { iss: 'x', sub: 'x' }
  await ledger.openTask({ ...base, ...times, txn, purpose: 'bulk', identity }, { maxOpenTasks: 1000 })
  const first = await ledger.reserveStatus({ name: 'bulk', until: now + 900 }, count)
  for (let n = 0; n < count; n += 1) {
    await ledger.registerGrant({
      ...base,
      issuer: ISSUER,
      jti: `${txn}.${n}`,
      txn,
      audience: 'https://orders.test',
      action: 'order.read',
      resource: 'order:1',
      iat: now,
      exp: now + 60,
      limits: [{ id: 'calls', per: 'grant', max: 1 }],
      status: { uri: listOf(n), idx: first + n },
    })
  }
  await ledger.endTask(txn, 'completed')
  return count
}

async function manyDeadIn(ledger: Ledger, broker: ReturnType<typeof rig>['broker'], pages: number): Promise<void> {
  for (let page = 0; page < pages; page += 1) {
    await manyDead(ledger, 500, (n) => `${ISSUER}/status/bulk-${'x'.repeat(30)}-${n}`)
    // Lets the feed send what there is, as a message of its own.
    await broker.fetch(new Request(`${ISSUER}/healthz`))
    await new Promise((resolve) => setImmediate(resolve))
  }
}
