import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TrailLine } from '@hallpass/core'
import { verifyTrail } from '@hallpass/core'
import { describe, expect, test, vi } from 'vitest'
import { seeded } from '../chaos/random.ts'
import { freePort } from '../store/free-port.ts'
import { hasPostgres, startPostgresStore } from '../store/postgres-store.ts'
import { hasRedis, startRedisStore } from '../store/redis-store.ts'
import { openSqliteStore } from '../store/sqlite-store.ts'
import type { Store, StoreKind } from '../store/store.ts'

// Rule 10: brokers killed with SIGKILL between what their ledger has and what their trail has. They run the built packages.
const home = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const PATIENCE_MS = 120_000
const TEST_MS = 400_000
/** In which nothing is waited for, and in which a killed handler is given up. */
const LONG_LEASE = 120
const SHORT_LEASE = 2

/** What every process knows of the others. */
const prelude = `
  import { defineApi } from '@hallpass/core'
  import { localDev } from '@hallpass/core/local-dev'
  const input = JSON.parse(process.argv[1])
  const { folder, issuer, place } = input
  const AUDIENCE = 'https://orders.example'
  const say = (text) => process.stdout.write(text + '\\n')
  const identity = (name) => localDev(name, { audience: issuer, directory: folder + '/identities' })
  const orders = defineApi({ audience: AUDIENCE, actions: {
    'order.read': { route: 'GET /orders/{id}', resource: 'order:{id}', risk: 'read' } } })
`

/** A broker that dies at one moment, once. */
const brokerCode = `${prelude}
  import { createBroker, generateSigningKeys } from '@hallpass/broker'
  import { fileTrail } from '@hallpass/core/file-trail'
  import { defaultTriggers, definePolicy } from '@hallpass/policy'
  import { postgresLedger } from '@hallpass/postgres'
  import { redisLedger } from '@hallpass/redis'
  import { sqliteLedger } from '@hallpass/sqlite'
  import { serve } from '@hono/node-server'
  import { DatabaseSync } from '@photostructure/sqlite'
  import { Redis } from 'ioredis'
  import { Pool } from 'pg'
  const { leaseSeconds } = input
  const open = {
    sqlite: async () => sqliteLedger({ database: new DatabaseSync(place.path), leaseSeconds }),
    redis: () => redisLedger({ client: new Redis({ port: place.port, host: '127.0.0.1' }), leaseSeconds }),
    postgres: () => postgresLedger({ leaseSeconds, migrateAtStart: true,
      pool: new Pool({ connectionString: 'postgres://hallpass@127.0.0.1:' + place.port + '/postgres', max: 4 }) }),
  }
  // A store that has just been started on a busy machine may take its time.
  const opened = async (tries) => open[place.kind]().catch(async (error) => {
    if (tries === 0) throw error
    await new Promise((resolve) => setTimeout(resolve, 250))
    return opened(tries - 1)
  })
  const real = await opened(40)
  const dies = (moment) => { if (input.dies === moment) process.kill(process.pid, 'SIGKILL') }
  const ledger = new Proxy(real, { get(target, name) {
    const member = Reflect.get(target, name, target)
    if (typeof member !== 'function') return member
    return async (...args) => {
      dies('before ' + name)
      const answer = await member.apply(target, args)
      const found = name !== 'sweep' || answer.unknownUses.length + answer.tasks.length > 0
      if (found) dies('after ' + name)
      return answer
    }
  } })
  const trail = fileTrail({ path: folder + '/audit.jsonl' })
  const audit = { ...trail, tail: trail.tail, append(event) {
    const appended = trail.append(event)
    dies('appended ' + event.type)
    return appended
  } }
  const policy = definePolicy({ api: orders, version: '1', purposes: ['test'],
    agents: { bot: { owner: 'team:a', identity: identity('bot'), approvers: ['group:b'], revokeOn: defaultTriggers } },
    rules: [{ id: 'read', action: 'order.read', effect: 'permit', limits: { calls: 3 } }] })
  const broker = createBroker({ issuer, policy, ledger, audit, keys: generateSigningKeys(),
    apis: [{ api: orders, identity: identity('orders-api') }], sweepSeconds: 1 })
  serve({ fetch: broker.fetch, hostname: '127.0.0.1', port: Number(new URL(issuer).port) }, () => say('ready'))
`

/** An API with an agent in front of it: one call for each line it is told, and its outcome. */
const apiCode = `${prelude}
  import { createInterface } from 'node:readline'
  import { createClient } from '@hallpass/client'
  import { createVerifier, protect } from '@hallpass/verifier'
  import { brokerLedger } from '@hallpass/verifier/broker-ledger'
  const ledger = brokerLedger({ issuer, identity: identity('orders-api'), timeoutMs: 30000 })
  const verifier = createVerifier({ api: orders, issuer, ledger, audit: ledger })
  let told
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
  const nextLine = async () => (await lines.next()).value
  const handler = protect(verifier, 'order.read', async (_request, { grant }) => {
    say('handling')
    told = await nextLine()
    if (told === 'give back') await grant.giveBack('nothing done').catch(() => undefined)
    return Response.json({ told })
  })
  const fetchOf = async (target, init) => {
    const request = new Request(target, init)
    return request.url.startsWith(AUDIENCE) ? handler(request) : fetch(request)
  }
  const client = createClient({ issuer, identity: identity('bot'), api: orders, purposes: ['test'], fetch: fetchOf,
    retryDelaysMs: [0], apiTimeoutMs: 120000, brokerTimeoutMs: 30000 })
  const opened = async () => {
    const task = await client.openTask({ purpose: 'test' }).catch(() => undefined)
    if (typeof task?.call === 'function') return task
    await new Promise((resolve) => setTimeout(resolve, 250))
    return opened()
  }
  const task = await opened()
  say('open')
  const outcome = await task.call('order.read', { resource: 'order:1', parameters: {} }).catch((error) => error)
  await ledger.flush().catch(() => undefined)
  say('called ' + (outcome.ok ? outcome.response.status : outcome.reason ?? outcome.message))
  await nextLine()
`

/** A process of its own. */
function start(code: string, input: object) {
  const child = spawn(process.execPath, ['--input-type=module', '-e', code, JSON.stringify(input)], {
    cwd: home,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let output = ''
  let isOver = false
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stdin.on('error', () => {})
  child.once('close', () => (isOver = true))
  const has = (line: string): boolean =>
    output
      .split('\n')
      .slice(0, -1)
      .some((each) => each.startsWith(line))
  return {
    tell: (line: string) => void child.stdin.write(`${line}\n`),
    /** Resolves when it said this, or is over. */
    until: (line: string) => vi.waitUntil(() => isOver || has(line), { timeout: PATIENCE_MS }),
    ended: () => vi.waitUntil(() => isOver, { timeout: PATIENCE_MS }),
    async kill() {
      child.kill('SIGKILL')
      await vi.waitUntil(() => isOver, { timeout: PATIENCE_MS })
    },
  }
}

const CLOSING = new Set(['use.ended', 'use.given-back', 'use.unknown'])

function trailIn(folder: string): TrailLine[] {
  const path = join(folder, 'audit.jsonl')
  const text = existsSync(path) ? readFileSync(path, 'utf8') : ''
  // What is being written may be half there.
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as TrailLine)
}

/** Starts and ends by use, and whether every use has both. */
function usesIn(folder: string) {
  const lines = trailIn(folder)
  const starts = lines.filter(({ type }) => type === 'use.started').map(({ id }) => id)
  const ends = lines.filter(({ type }) => CLOSING.has(type))
  const isWhole = starts.length > 0 && starts.every((id) => ends.some(({ follows }) => follows === id))
  return {
    starts,
    ends: ends.map(({ type, status }) => [type, status ?? null]),
    follows: ends.map((e) => e.follows),
    isWhole,
  }
}

interface Stage {
  readonly startBroker: (dies?: string) => Promise<ReturnType<typeof start>>
  readonly startApi: () => ReturnType<typeof start>
}

/** How the uses of a run ended, whether each is there once from its start to its end, and whether the chain holds. */
interface Found {
  readonly ends: readonly (readonly (string | number | null)[])[]
  readonly isEachOnce: boolean
  readonly isChained: boolean
}

/** Resolves when every use has its end. */
async function onStage(
  { kind, leaseSeconds }: { readonly kind: StoreKind; readonly leaseSeconds: number },
  run: (stage: Stage) => Promise<void>,
): Promise<Found> {
  const folder = mkdtempSync(join(tmpdir(), 'hallpass-outbox-'))
  const random = seeded(1)
  const open = {
    sqlite: async (): Promise<Store> => openSqliteStore(folder),
    redis: () => startRedisStore(folder, random),
    postgres: () => startPostgresStore(random),
  }
  const store = await open[kind]()
  const started: ReturnType<typeof start>[] = []
  const input = { folder, leaseSeconds, place: store.own, issuer: `http://127.0.0.1:${await freePort()}` }
  const startOne = (code: string, more: object = {}) => {
    const child = start(code, { ...input, ...more })
    started.push(child)
    return child
  }
  try {
    await run({
      async startBroker(dies = 'never') {
        const broker = startOne(brokerCode, { dies })
        await broker.until('ready')
        return broker
      },
      startApi: () => startOne(apiCode),
    })
    await vi.waitUntil(() => usesIn(folder).isWhole, { timeout: PATIENCE_MS })
    const { starts, ends, follows } = usesIn(folder)
    const { ok: isChained } = await verifyTrail(trailIn(folder).map((line) => JSON.stringify(line)))
    const isEachOnce = new Set(starts).size === starts.length && starts.join() === follows.join()
    return { ends, isEachOnce, isChained }
  } finally {
    await Promise.all(started.map((child) => child.kill()))
    await store.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Where CI runs, a missing server is a failure. */
const isCi = process.env['CI'] !== undefined
const stores: readonly StoreKind[] = [
  'sqlite',
  ...(hasRedis() || isCi ? (['redis'] as const) : []),
  ...(hasPostgres() || isCi ? (['postgres'] as const) : []),
]
const skipped = ['redis', 'postgres'].filter((kind) => !stores.includes(kind as StoreKind))
const where = skipped.length === 0 ? '' : ` (SKIPPED, not installed: ${skipped.join(', ')})`

const WHOLE = { isEachOnce: true, isChained: true }
const UNKNOWN = [['use.unknown', null]]
const ANSWERED = [['use.ended', 200]]

describe.each(stores)(`a broker over %s that is killed${where}`, (kind) => {
  test.each([
    { when: 'the ledger has the use and the trail does not', dies: 'after redeem', lease: SHORT_LEASE, ends: UNKNOWN },
    { when: 'the start is appended and not on disk', dies: 'appended use.started', lease: SHORT_LEASE, ends: UNKNOWN },
    {
      when: 'the trail has the outcome and the ledger does not',
      dies: 'before settle',
      lease: LONG_LEASE,
      ends: ANSWERED,
    },
  ])(
    'when $when leaves each use on record once, with its end',
    { timeout: TEST_MS },
    async ({ dies, lease: leaseSeconds, ends }) => {
      const found = await onStage({ kind, leaseSeconds }, async ({ startBroker, startApi }) => {
        const broker = await startBroker(dies)
        const api = startApi()
        api.tell('answer')
        await broker.ended()
        await startBroker()
        await api.until('called')
      })
      expect(found).toEqual({ ...WHOLE, ends })
    },
  )

  test('while a handler runs takes its outcome from the one after it', { timeout: TEST_MS }, async () => {
    const found = await onStage({ kind, leaseSeconds: LONG_LEASE }, async ({ startBroker, startApi }) => {
      const broker = await startBroker()
      const api = startApi()
      await api.until('handling')
      await broker.kill()
      await startBroker()
      api.tell('answer')
      await api.until('called')
    })
    expect(found).toEqual({ ...WHOLE, ends: ANSWERED })
  })
})

describe.concurrent('a broker that is killed', () => {
  // Redis looks at what came back when its lease is over, SQL after 30 s.
  test.each(stores.map((kind) => [kind, kind === 'redis' ? 20 : LONG_LEASE] as const))(
    'when a use went back and before the trail has that leaves it on record, over %s',
    { timeout: TEST_MS },
    async (kind, leaseSeconds) => {
      const found = await onStage({ kind, leaseSeconds }, async ({ startBroker, startApi }) => {
        const broker = await startBroker('after giveBack')
        const api = startApi()
        api.tell('give back')
        await broker.ended()
        await startBroker()
      })
      expect(found).toEqual({ ...WHOLE, ends: [['use.given-back', null]] })
    },
  )

  test.each([
    ['when the ledger told it and the trail has nothing', 'after sweep'],
    ['when the trail has it and the ledger is not told', 'before acknowledge'],
  ])('while it sweeps, %s, leaves the end of the use on record once', { timeout: TEST_MS }, async (_name, dies) => {
    const where = { kind: 'sqlite', leaseSeconds: SHORT_LEASE } as const
    const found = await onStage(where, async ({ startBroker, startApi }) => {
      const first = await startBroker('after redeem')
      const api = startApi()
      await first.ended()
      await api.kill()
      const sweeping = await startBroker(dies)
      await sweeping.ended()
      await startBroker()
    })
    expect(found).toEqual({ ...WHOLE, ends: UNKNOWN })
  })
})
