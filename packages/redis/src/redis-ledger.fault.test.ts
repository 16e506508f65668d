import { Redis } from 'ioredis'
import { createClient } from 'redis'
import type { Ledger } from '@hallpass/core'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { startProxy } from '../test/proxy.ts'
import type { Proxy } from '../test/proxy.ts'
import { canStartServers } from '../test/reach.ts'
import { calls, openTask, register, request } from '../test/records.ts'
import { until } from '../test/redis-cluster.ts'
import { ask, startRedis } from '../test/redis-server.ts'
import type { TestServer } from '../test/redis-server.ts'
import { redisLedger } from './redis-ledger.ts'
import type { RedisLedgerOptions } from './redis-ledger-options.ts'

const ends: (() => unknown)[] = []

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function server(args: readonly string[] = []): Promise<TestServer> {
  const started = await startRedis(args)
  ends.push(() => started.close())
  return started
}

let one: Promise<TestServer> | undefined
/** One for tests that break nothing. */
const shared = () => (one ??= startRedis())
afterAll(async () => (await one)?.close())

async function proxyTo(port: number): Promise<Proxy> {
  const proxy = await startProxy(port)
  ends.push(() => proxy.close())
  return proxy
}

async function ledgerAt(port: number, options: Partial<RedisLedgerOptions> = {}): Promise<Ledger> {
  const client = new Redis({ port, host: '127.0.0.1', retryStrategy: () => 20 })
  client.on('error', () => undefined)
  ends.push(() => client.disconnect())
  return redisLedger({ client, ...options })
}

/** As ledgerAt, by a client that sends nothing again by itself. */
async function ledgerByNodeRedis(port: number, options: Partial<RedisLedgerOptions> = {}): Promise<Ledger> {
  const client = createClient({ url: `redis://127.0.0.1:${port}`, socket: { reconnectStrategy: 20 } })
  client.on('error', () => undefined)
  await client.connect()
  ends.push(() => client.destroy())
  return redisLedger({ client, ...options })
}

const unavailable = { code: 'ledger-unavailable' }
const stateOf = (answer: Awaited<ReturnType<Ledger['redeem']>>) => (answer.ok ? answer.state : answer.reason)

describe.skipIf(!canStartServers())('redisLedger() when memory ends', () => {
  it('does not start on a server that evicts, and stops where one begins to', async () => {
    const { port } = await server()
    await ask(port, 'CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru')
    await expect(ledgerAt(port)).rejects.toMatchObject({ code: 'configuration-invalid' })
    await ask(port, 'CONFIG', 'SET', 'maxmemory-policy', 'noeviction')
    const ledger = await ledgerAt(port)
    const grant = await register(ledger, await openTask(ledger), { limits: [calls(2)] })
    expect(stateOf(await ledger.redeem(request(grant)))).toBe('first')
    await ask(port, 'CONFIG', 'SET', 'maxmemory-policy', 'volatile-ttl')
    await expect(ledger.sweep()).rejects.toMatchObject({ code: 'configuration-invalid' })
    await expect(ledger.redeem(request(grant))).rejects.toMatchObject({ code: 'configuration-invalid' })
    await ask(port, 'CONFIG', 'SET', 'maxmemory-policy', 'noeviction')
    await ledger.sweep()
    expect(stateOf(await ledger.redeem(request(grant)))).toBe('first')
  })

  it('refuses to issue and to use, and still ends, revokes and records', async () => {
    const { port } = await server()
    const ledger = await ledgerAt(port)
    const task = await openTask(ledger)
    const grant = await register(ledger, task, { limits: [calls(5)] })
    const other = await register(ledger, task, { limits: [calls(5)] })
    const used = await ledger.redeem(request(other))
    await ask(port, 'CONFIG', 'SET', 'maxmemory', '1mb')
    expect(stateOf(await ledger.redeem(request(grant)))).toBe('ledger-full')
    await expect(openTask(ledger)).rejects.toThrow('ledger-full')
    await expect(register(ledger, task)).rejects.toThrow('ledger-full')
    expect(await ledger.markOnce('m', (await ledger.now()) + 60)).toBe('full')
    if (used.ok && used.state === 'first') await ledger.settle(used.reservation, { status: 200 })
    expect((await ledger.revoke({ kind: 'grant', jti: other.jti }, 'leaked')).grants).toHaveLength(1)
    await ledger.revoke({ kind: 'agent', clientId: 'nobody' }, 'incident')
    expect((await ledger.endTask(task.txn, 'completed'))?.grants).toHaveLength(1)
    await ask(port, 'CONFIG', 'SET', 'maxmemory', '0')
    expect(stateOf(await ledger.redeem(request(grant)))).toBe('task-ended')
  })
})

describe.skipIf(!canStartServers())('redisLedger() when the server goes', () => {
  it('goes on after its scripts were flushed', async () => {
    const { port } = await server()
    const ledger = await ledgerAt(port)
    const grant = await register(ledger, await openTask(ledger), { limits: [calls(2)] })
    await ledger.redeem(request(grant))
    await ask(port, 'SCRIPT', 'FLUSH')
    expect(stateOf(await ledger.redeem(request(grant)))).toBe('first')
    expect(stateOf(await ledger.redeem(request(grant)))).toBe('grant-exhausted')
  })

  it('knows nothing of before after a crash without persistence, and is another incarnation', async () => {
    const store = await server()
    const ledger = await ledgerAt(store.port, { timeoutMs: 5000 })
    const before = ledger.incarnation
    const task = await openTask(ledger)
    const grant = await register(ledger, task)
    await store.crash()
    await store.restart()
    expect(['incarnation-mismatch', 'grant-unknown']).toContain(stateOf(await ledger.redeem(request(grant))))
    await expect(register(ledger, task)).rejects.toThrow(/incarnation-mismatch|task-unknown/)
    expect(ledger.incarnation).not.toBe(before)
    expect(stateOf(await ledger.redeem(request(await register(ledger, await openTask(ledger)))))).toBe('first')
  })

  it('refuses tasks and grants of before, although the data came back', async () => {
    const store = await server(['--appendonly', 'yes', '--appendfsync', 'always'])
    const [ledger, other] = [await ledgerAt(store.port, { timeoutMs: 5000 }), await ledgerAt(store.port)]
    const task = await openTask(ledger)
    const grant = await register(ledger, task, { limits: [calls(9)] })
    await store.crash()
    await store.restart()
    for (const each of [ledger, other]) {
      expect(stateOf(await each.redeem(request(grant)))).toBe('incarnation-mismatch')
    }
    expect((await ledger.task(task.txn))?.incarnation).not.toBe(ledger.incarnation)
    await expect(register(ledger, { ...task, incarnation: ledger.incarnation })).rejects.toThrow('incarnation-mismatch')
    await openTask(ledger)
  })

  it('keeps stops and spent windows that were saved', async () => {
    const store = await server(['--appendonly', 'yes', '--appendfsync', 'always'])
    const ledger = await ledgerAt(store.port, { timeoutMs: 5000 })
    await ledger.revoke({ kind: 'agent', clientId: 'support-bot' }, 'incident')
    await store.crash()
    await store.restart()
    await ledger.sweep()
    await expect(openTask(ledger)).rejects.toThrow('agent-revoked')
    expect(await ledger.resume({ kind: 'agent', clientId: 'support-bot' }, 'over')).toBe(true)
  })

  it('never lets one use too many through a crash in the middle of them', async () => {
    const store = await server(['--appendonly', 'yes', '--appendfsync', 'everysec'])
    const ledger = await ledgerAt(store.port, { timeoutMs: 8000 })
    const grant = await register(ledger, await openTask(ledger), { limits: [calls(100)] })
    let first = 0
    let crashed: Promise<void> | undefined
    const clients = Array.from({ length: 64 }, async () => {
      for (let round = 0; round < 20; round += 1) {
        const answer = await Promise.resolve(ledger.redeem(request(grant))).catch(() => undefined)
        if (answer?.ok === true && answer.state === 'first') first += 1
        if (first >= 40) crashed ??= store.crash()
      }
    })
    await until(async () => crashed !== undefined)
    await crashed
    await store.restart()
    await Promise.all(clients)
    expect(first).toBeGreaterThanOrEqual(40)
    expect(first).toBeLessThanOrEqual(100)
    expect(stateOf(await ledger.redeem(request(grant)))).toBe('incarnation-mismatch')
  }, 30_000)

  it('goes on in the same life when a replica comes and goes, and begins another after a demotion', async () => {
    const [master, replica] = [await server(), await server()]
    const ledger = await ledgerAt(master.port)
    const grant = await register(ledger, await openTask(ledger), { limits: [calls(9)] })
    const life = ledger.incarnation
    await ask(replica.port, 'REPLICAOF', '127.0.0.1', String(master.port))
    await until(async () => String(await ask(replica.port, 'INFO', 'replication')).includes('master_link_status:up'))
    await ledger.sweep()
    expect([ledger.incarnation, stateOf(await ledger.redeem(request(grant)))]).toEqual([life, 'first'])
    await ask(master.port, 'REPLICAOF', '127.0.0.1', '1')
    await ask(master.port, 'REPLICAOF', 'NO', 'ONE')
    await ledger.sweep()
    expect(ledger.incarnation).not.toBe(life)
    expect(stateOf(await ledger.redeem(request(grant)))).toBe('incarnation-mismatch')
  })

  it('refuses on a promoted replica what the old master may have spent unseen', async () => {
    const [master, replica] = [await server(), await server()]
    await ask(replica.port, 'REPLICAOF', '127.0.0.1', String(master.port))
    const proxy = await proxyTo(master.port)
    const ledger = await ledgerAt(proxy.port, { timeoutMs: 5000 })
    const grant = await register(ledger, await openTask(ledger))
    await ask(master.port, 'WAIT', '1', '5000')
    await until(async () => String(await ask(replica.port, 'INFO', 'replication')).includes('master_link_status:up'))
    await until(async () => (await ask(replica.port, 'DBSIZE')) === (await ask(master.port, 'DBSIZE')))
    // The use reaches the master only.
    await ask(replica.port, 'REPLICAOF', 'NO', 'ONE')
    await ask(replica.port, 'REPLICAOF', '127.0.0.1', '1')
    expect(stateOf(await ledger.redeem(request(grant)))).toBe('first')
    proxy.target = replica.port
    proxy.cutAll()
    await expect(ledger.redeem(request(grant))).rejects.toMatchObject(unavailable)
    await ask(replica.port, 'REPLICAOF', 'NO', 'ONE')
    expect(stateOf(await ledger.redeem(request(grant)))).toBe('incarnation-mismatch')
  }, 30_000)
})

describe.skipIf(!canStartServers())('redisLedger() when one slot of several loses everything', () => {
  it('is another incarnation, whose history begins anew', async () => {
    const { port } = await server()
    const ledger = await ledgerAt(port, { shards: 2 })
    const [before, log] = [ledger.incarnation, await ledger.revocations({ limit: 10 })]
    const keys = (await ask(port, 'KEYS', '{hp:1}:*')) as readonly string[]
    for (const key of keys) await ask(port, 'DEL', key)
    await ledger.sweep()
    expect(ledger.incarnation).not.toBe(before)
    const after = log.state === 'read' ? log.cursor : ''
    expect(await ledger.revocations({ after, limit: 10 })).toEqual({ state: 'gone' })
  })
})

describe.skipIf(!canStartServers())('redisLedger() when the way there breaks', () => {
  it.each([
    ['ioredis', ledgerAt],
    ['node-redis', ledgerByNodeRedis],
  ])('takes a redeem whose answer was cut off as the same redeem, by %s', async (_name, make) => {
    const { port } = await server()
    const proxy = await proxyTo(port)
    const ledger = await make(proxy.port, { timeoutMs: 5000 })
    const grant = await register(ledger, await openTask(ledger), { limits: [calls(2)] })
    await ledger.redeem(request(grant))
    proxy.answers = 'cut'
    const answering = ledger.redeem(request(grant))
    await until(async () => Number((await (await ledgerAt(port)).grant(grant.jti))?.usesLeft) === 0)
    proxy.answers = 'pass'
    const answer = await answering
    expect(answer).toMatchObject({ ok: true, state: 'first', usesLeft: 0 })
    if (answer.ok && answer.state === 'first') await ledger.settle(answer.reservation, { status: 200 })
    expect(stateOf(await ledger.redeem(request(grant)))).toBe('grant-exhausted')
  })

  it('keeps an agent charged for a use whose answer was cut off', async () => {
    const { port } = await server()
    const client = new Redis({ port, host: '127.0.0.1' })
    ends.push(() => client.disconnect())
    const evalsha = client.evalsha.bind(client)
    let callsUntilCut = Number.POSITIVE_INFINITY
    const cutting = Object.assign(client, {
      async evalsha(...args: Parameters<typeof evalsha>) {
        const answer = await evalsha(...args)
        callsUntilCut -= 1
        if (callsUntilCut === 0) throw new Error('Connection is closed.')
        return answer
      },
    })
    const ledger = await redisLedger({ client: cutting })
    const limits = [calls(9), { id: 'month', per: 'agent' as const, max: 2, window_seconds: 2_592_000 }]
    const grant = await register(ledger, await openTask(ledger), { limits })
    expect(stateOf(await ledger.redeem(request(grant)))).toBe('first')
    // Asked, the agent charged, asked again: done, and nobody heard of it.
    callsUntilCut = 3
    expect(stateOf(await ledger.redeem(request(grant)))).toBe('first')
    expect(callsUntilCut).toBeLessThan(0)
    expect(stateOf(await ledger.redeem(request(grant)))).toBe('limit-exceeded')
  })

  it('fails in time when nothing answers, and a resend of the attempt is not charged again', async () => {
    const { port } = await server()
    const proxy = await proxyTo(port)
    const ledger = await ledgerAt(proxy.port, { timeoutMs: 300 })
    const grant = await register(ledger, await openTask(ledger), { limits: [calls(2)] })
    const use = request(grant)
    proxy.answers = 'swallow'
    await expect(ledger.redeem(use)).rejects.toMatchObject(unavailable)
    proxy.answers = 'pass'
    proxy.cutAll()
    await until(async () => (await ledger.redeem(use)).ok)
    expect((await ledger.grant(grant.jti))?.usesLeft).toBe(1)
  })

  it('is unavailable while the server is paused, and charges at most once', async () => {
    const { port } = await server()
    const ledger = await ledgerAt(port, { timeoutMs: 200 })
    const grant = await register(ledger, await openTask(ledger), { limits: [calls(2)] })
    const use = request(grant)
    await ask(port, 'CLIENT', 'PAUSE', '600', 'ALL')
    await expect(ledger.redeem(use)).rejects.toMatchObject(unavailable)
    await until(async () => (await ledger.redeem(use)).ok)
    expect((await ledger.grant(grant.jti))?.usesLeft).toBe(1)
  })

  it('is unavailable on a server that only reads, and on none', async () => {
    const [master, replica] = [await server(), await server()]
    await ask(replica.port, 'REPLICAOF', '127.0.0.1', String(master.port))
    await expect(ledgerAt(replica.port, { timeoutMs: 200 })).rejects.toMatchObject(unavailable)
    await master.crash()
    await expect(ledgerAt(master.port, { timeoutMs: 200 })).rejects.toMatchObject(unavailable)
  })
})

describe.skipIf(!canStartServers())('redisLedger() over time', () => {
  it('never goes back behind the latest time it told, whatever the clock of the server does', async () => {
    const { port } = await server()
    const ledger = await ledgerAt(port)
    const grant = await register(ledger, await openTask(ledger), { limits: [calls(9)] })
    // As if this server, or the one before it, had once been at this time.
    const latest = grant.exp * 1000
    await ask(port, 'HSET', '{hp:0}:meta', 'clock', String(latest))
    expect(await ledger.now()).toBe(grant.exp)
    const late = request(grant, { proof: { ...request(grant).proof, acceptUntil: grant.exp + 60 } as never })
    expect(stateOf(await ledger.redeem(late))).toBe('token-expired')
    expect(await (await ledgerAt(port)).now()).toBe(grant.exp)
  })

  it('sets an end to every key, the heads of its shards aside', async () => {
    const { port } = await server()
    const ledger = await ledgerAt(port, { shards: 4 })
    const task = await openTask(ledger)
    const limits = [
      calls(5),
      { id: 'day', per: 'agent' as const, max: 5, window_seconds: 60 },
      { id: 'all', per: 'task' as const, max: 5 },
    ]
    const grant = await register(ledger, task, { limits })
    await ledger.redeem(request(grant, { idempotency: { key: 'k', digest: 'd' } }))
    await ledger.redeem(request(await register(ledger, task)))
    await ledger.markOnce('once', (await ledger.now()) + 60)
    await ledger.bindKey('assertion', 'key', { maxKeys: 1, until: (await ledger.now()) + 60 })
    await ledger.reserveStatus({ name: 'series', until: (await ledger.now()) + 900 }, 8)
    await ledger.revoke({ kind: 'grant', jti: grant.jti }, 'leaked')
    const keys = (await ask(port, 'KEYS', '*')) as readonly string[]
    const endless = []
    for (const key of keys) if (Number(await ask(port, 'PTTL', key)) < 0) endless.push(key)
    expect(keys.length).toBeGreaterThan(12)
    expect(endless.toSorted()).toEqual([0, 1, 2, 3].map((shard) => `{hp:${shard}}:meta`))
  })

  it('tells what ran out once, to one of several that sweep', async () => {
    const { port } = await server()
    const [one, two] = [await ledgerAt(port), await ledgerAt(port)]
    const task = await openTask(one)
    const grants = await Promise.all(Array.from({ length: 30 }, () => register(one, task)))
    await Promise.all(grants.slice(0, 10).map(async (grant) => one.redeem(request(grant))))
    await ask(port, 'HSET', '{hp:0}:meta', 'clock', String(Date.now() + 3_600_000))
    const swept = await Promise.all([one.sweep(), two.sweep(), one.sweep(), two.sweep()])
    expect(swept.flatMap(({ tasks }) => tasks)).toHaveLength(1)
    expect(
      swept
        .flatMap((each) => each.grants)
        .map(({ jti }) => jti)
        .toSorted(),
    ).toEqual(
      grants
        .slice(10)
        .map(({ jti }) => jti)
        .toSorted(),
    )
    expect(swept.flatMap(({ unknownUses }) => unknownUses)).toHaveLength(10)
  })

  it('finishes a wide revocation whose process went away in the middle', async () => {
    const { port } = await server()
    const ledger = await ledgerAt(port, { shards: 4 })
    const grant = await register(ledger, await openTask(ledger))
    const target = { kind: 'owner', owner: 'team:support' }
    const intent = JSON.stringify({ call: 'c', target, reason: 'incident', at: Date.now() - 60_000 })
    await ask(port, 'HSET', '{hp:0}:intents', JSON.stringify(['owner', 'team:support']), intent)
    await ledger.sweep()
    expect(stateOf(await ledger.redeem(request(grant)))).toBe('grant-revoked')
    await expect(openTask(ledger)).rejects.toThrow('agent-revoked')
    expect(await ask(port, 'EXISTS', '{hp:0}:intents')).toBe(0)
  })

  it('keeps dead what an agent held, although the slot of its places was lost in between', async () => {
    const { port } = await server()
    const ledger = await ledgerAt(port, { shards: 4 })
    const grants = await Promise.all(Array.from({ length: 8 }, async () => register(ledger, await openTask(ledger))))
    const target = { kind: 'agent', clientId: 'support-bot' } as const
    for (const shard of [0, 1, 2, 3]) await ask(port, 'DEL', `{hp:${shard}}:open:support-bot`)
    expect((await ledger.revoke(target, 'incident')).tasks).toHaveLength(8)
    expect(await ledger.resume(target, 'over')).toBe(true)
    const states = await Promise.all(grants.map(async (grant) => stateOf(await ledger.redeem(request(grant)))))
    expect(new Set(states)).toEqual(new Set(['grant-revoked']))
  })

  it.each([
    ['another number of shards', { shards: 2 }],
    ['a lower epoch', { epoch: 6 }],
  ])('does not start with %s than the data was begun with', async (_what, options) => {
    const { port } = await server()
    await ledgerAt(port, { epoch: 7 })
    await expect(ledgerAt(port, { epoch: 7, ...options })).rejects.toMatchObject({ code: 'configuration-invalid' })
  })

  it('refuses everything from before when an operator raises the epoch', async () => {
    const { port } = await server()
    const ledger = await ledgerAt(port)
    const grant = await register(ledger, await openTask(ledger))
    const raised = await ledgerAt(port, { epoch: 1 })
    expect(stateOf(await raised.redeem(request(grant)))).toBe('incarnation-mismatch')
    await expect(ledger.redeem(request(grant))).rejects.toMatchObject({ code: 'configuration-invalid' })
  })
})

describe.skipIf(!canStartServers())('redisLedger() when somebody writes between the lines', () => {
  const members = ['attempt', 'event', 'audience', 'issuer', 'clientId', 'action', 'resource', 'jti'] as const
  it.each(members.flatMap((member) => ['\r', '\n', '\n\r\n'].map((mark) => [member, mark] as const)))(
    'refuses a redeem whose %s holds %j, and charges nothing',
    async (member, mark) => {
      const { port } = await shared()
      const ledger = await ledgerAt(port)
      const grant = await register(ledger, await openTask(ledger))
      const honest = request(grant)
      for (const text of [`${honest[member]}${mark}`, `${mark}${honest[member]}`, `x${mark}y${mark}z`]) {
        expect(stateOf(await ledger.redeem({ ...honest, [member]: text }))).toBe('request-malformed')
      }
      expect(stateOf(await ledger.redeem(honest))).toBe('first')
    },
  )

  it('registers no grant, and opens no task, with an id of two lines', async () => {
    const { port } = await shared()
    const ledger = await ledgerAt(port)
    const task = await openTask(ledger)
    for (const changes of [{ jti: 'gr\n1' }, { audience: 'a\nb' }, { resource: 'order:1\r' }, { action: 'a\nb' }]) {
      await expect(register(ledger, task, changes)).rejects.toThrow('request-invalid')
    }
    await expect(openTask(ledger, { txn: 'tsk\n1' })).rejects.toThrow('request-invalid')
  })
})
