import { DatabaseSync } from '@photostructure/sqlite'
import { describe, expect, test } from 'vitest'
import { openHandle } from '../test/drivers.ts'
import { calls, openedTask, registeredGrant, useOf } from '../test/records.ts'
import { temporaryFile } from '../test/temporary-file.ts'
import { raiseSqliteEpoch } from './raise-epoch.ts'
import { sqliteLedger } from './sqlite-ledger.ts'

const T0 = 1_700_000_000
const handle = () => openHandle(temporaryFile())
const isUnavailable = expect.objectContaining({ code: 'ledger-unavailable' })
const isInvalid = expect.objectContaining({ code: 'configuration-invalid' })

describe('sqliteLedger() options', () => {
  test.each([
    ['nothing', undefined],
    ['no database', {}],
    ['a path for a handle', { database: '/tmp/x.db' }],
    ['an unknown option', { database: {}, exactFor: 'one-process' }],
  ])('refuses %s', (_what, options) => {
    expect(() => sqliteLedger(options as never)).toThrow(isInvalid)
  })

  test.each([
    { leaseSeconds: 0 },
    { maxSkewSeconds: 31 },
    { busySeconds: 0.5 },
    { maxWaiting: 0 },
    { typo: 1 },
    { clock: 5 },
  ])('refuses %o', (options) => {
    expect(() => sqliteLedger({ database: handle(), ...options } as never)).toThrow(isInvalid)
  })

  test('refuses a database in memory, which would lose what it answered', () => {
    expect(() => sqliteLedger({ database: new DatabaseSync(':memory:') })).toThrow(isInvalid)
  })

  test('refuses a handle that answers bigints', () => {
    const database = handle()
    const prepare = (sql: string) => {
      const statement = database.prepare(sql)
      const get = () => ({ x: sql.endsWith('synchronous') ? 2n : Object.values(Object(statement.get()))[0] })
      return { get, all: () => [], run: () => ({ changes: 0n }) }
    }
    expect(() => sqliteLedger({ database: { exec: (sql) => database.exec(sql), prepare } })).toThrow(/bigint/)
  })

  test('says so when the file cannot be written', () => {
    const file = temporaryFile()
    sqliteLedger({ database: openHandle(file) })
    expect(() => sqliteLedger({ database: new DatabaseSync(file, { readOnly: true }) })).toThrow(isUnavailable)
  })
})

describe('sqliteLedger() schema', () => {
  test('sets and keeps what makes a commit durable', () => {
    const database = handle()
    sqliteLedger({ database })
    expect(database.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: 2 })
    expect(database.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' })
  })

  test('refuses a schema newer than itself, and changes nothing in it', () => {
    const database = handle()
    sqliteLedger({ database })
    database.exec('INSERT INTO hallpass_schema (version, applied_at_us) VALUES (999, 0)')
    expect(() => sqliteLedger({ database })).toThrow(/schema version 999/)
  })

  test('opens a file again as it was left', async () => {
    const path = temporaryFile()
    const first = sqliteLedger({ database: openHandle(path) })
    const grant = await registeredGrant(first, await openedTask(first), { limits: [calls(2)] })
    await first.redeem(useOf(grant))
    const again = sqliteLedger({ database: openHandle(path) })
    expect(again.incarnation).toBe(first.incarnation)
    expect(await again.grant(grant.jti)).toEqual({ ...grant, usesLeft: 1 })
    expect(await again.redeem(useOf(grant))).toMatchObject({ state: 'first', usesLeft: 0 })
    expect(await first.redeem(useOf(grant))).toMatchObject({ ok: false, reason: 'grant-exhausted' })
  })
})

describe('sqliteLedger() life', () => {
  test('refuses every task and grant of an earlier epoch, in processes that run too', async () => {
    const path = temporaryFile()
    const ledger = sqliteLedger({ database: openHandle(path) })
    const task = await openedTask(ledger)
    const grant = await registeredGrant(ledger, task, { limits: [calls(5)] })
    const use = await ledger.redeem(useOf(grant))
    const old = ledger.incarnation
    const reader = sqliteLedger({ database: openHandle(path) })
    const raised = raiseSqliteEpoch(openHandle(path))
    expect(raised).not.toBe(old)
    expect(await reader.revocations({ limit: 1 })).toMatchObject({ state: 'read' })
    expect(reader.incarnation).toBe(raised)
    expect(await ledger.redeem(useOf(grant))).toMatchObject({ reason: 'incarnation-mismatch' })
    expect(ledger.incarnation).toBe(raised)
    expect(await ledger.giveBack(use.ok && use.state === 'first' ? use.reservation : '', 'late')).toBe(false)
    expect(await ledger.registerGrant({ ...grant, jti: 'gr_new' })).toMatchObject({ reason: 'incarnation-mismatch' })
    expect(await ledger.registerGrant({ ...grant, jti: 'gr_new', incarnation: raised })).toMatchObject({
      reason: 'incarnation-mismatch',
    })
    expect(await ledger.revocations({ after: `${old}.0`, limit: 1 })).toEqual({ state: 'gone' })
    await openedTask(ledger, { incarnation: raised })
  })

  test('never goes back behind the time the file has seen, in no process and after no restart', async () => {
    const path = temporaryFile()
    let now = T0 + 100
    const ledger = sqliteLedger({ database: openHandle(path), clock: () => now })
    const grant = await registeredGrant(ledger, await openedTask(ledger), {
      limits: [calls(5)],
      exp: T0 + 110,
      iat: T0 + 50,
    })
    now = T0 + 111
    expect(await ledger.redeem(useOf(grant))).toMatchObject({ reason: 'token-expired' })
    const behind = sqliteLedger({ database: openHandle(path), clock: () => T0 })
    expect(await behind.now()).toBe(T0 + 111)
    expect(await behind.redeem(useOf(grant))).toMatchObject({ reason: 'token-expired' })
  })

  test('keeps nothing once all is over and swept', async () => {
    let now = T0
    const ledger = sqliteLedger({ database: handle(), clock: () => now })
    const task = await openedTask(ledger)
    const limits = [
      calls(9),
      { id: 'total', per: 'grant', max: 5, parameter: 'amount', scale: 2 } as const,
      { id: 'task', per: 'task', max: 9 } as const,
      { id: 'minute', per: 'agent', max: 9, window_seconds: 60 } as const,
    ]
    const grant = await registeredGrant(ledger, task, { limits })
    const proof = { jkt: 'jkt', jti: 'p', iat: now, acceptUntil: now + 60 }
    const settled = await ledger.redeem(useOf(grant, { amounts: { amount: 1 }, proof }))
    await ledger.settle(settled.ok && settled.state === 'first' ? settled.reservation : '', { status: 200 })
    await ledger.redeem(useOf(grant, { amounts: { amount: 1 }, idempotency: { key: 'k', digest: 'd' } }))
    await ledger.redeem(useOf(grant, { amounts: { amount: 1 } }))
    await ledger.markOnce('mark', now + 60)
    await ledger.bindKey('assertion', 'jkt', { maxKeys: 1, until: now + 60 })
    await ledger.reserveStatus({ name: 's', until: now + 900 }, 8)
    await ledger.revoke({ kind: 'agent', clientId: 'support-bot' }, 'incident')
    await ledger.resume({ kind: 'agent', clientId: 'support-bot' }, 'over')
    for (let sweeps = 0; sweeps < 3; sweeps += 1) {
      now += 2000
      await ledger.sweep()
    }
    expect(new Set(Object.values(await ledger.sizes()))).toEqual(new Set([0]))
  })
})

describe('sqliteLedger() trouble', () => {
  test('refuses issue and use on a full disk, tells who must revoke, and goes on when there is room', async () => {
    const database = handle()
    const ledger = sqliteLedger({ database })
    const grant = await registeredGrant(ledger, await openedTask(ledger), { limits: [calls(1_000_000)] })
    const pages = Number(Object.values(Object(database.prepare('PRAGMA page_count').get()))[0])
    database.exec(`PRAGMA max_page_count = ${pages + 3}`)
    const answers = await Promise.all(Array.from({ length: 900 }, async () => ledger.redeem(useOf(grant))))
    const firsts = answers.filter(({ ok }) => ok).length
    expect(new Set(answers.map((answer) => answer.ok || answer.reason))).toEqual(new Set([true, 'ledger-full']))
    expect(await ledger.grant(grant.jti)).toMatchObject({ usesLeft: 1_000_000 - firsts })
    const big = { ...grant, jti: 'gr_big', resource: `order:${'x'.repeat(20_000)}` }
    expect(await ledger.registerGrant(big)).toMatchObject({ reason: 'ledger-full' })
    expect(await ledger.markOnce('x'.repeat(20_000), (await ledger.now()) + 60)).toBe('full')
    await expect(ledger.revoke({ kind: 'owner', owner: 'x'.repeat(20_000) }, 'now')).rejects.toThrow(isUnavailable)
    database.exec('PRAGMA max_page_count = 1000000')
    expect(await ledger.redeem(useOf(grant))).toMatchObject({ state: 'first' })
  })

  test('waits for another writer, then gives up; what gave up was not done', async () => {
    const path = temporaryFile()
    const ledger = sqliteLedger({ database: openHandle(path), busySeconds: 1 })
    const grant = await registeredGrant(ledger, await openedTask(ledger), { limits: [calls(2)] })
    const other = openHandle(path)
    other.exec('BEGIN IMMEDIATE')
    await expect(ledger.redeem(useOf(grant))).rejects.toThrow(isUnavailable)
    const waiting = ledger.redeem(useOf(grant))
    other.exec('ROLLBACK')
    expect(await waiting).toMatchObject({ state: 'first', usesLeft: 1 })
  })

  test('refuses more waiters than it has room for', async () => {
    const ledger = sqliteLedger({ database: handle(), maxWaiting: 2 })
    const grant = await registeredGrant(ledger, await openedTask(ledger), { limits: [calls(9)] })
    const answers = await Promise.allSettled([1, 2, 3].map(async () => ledger.redeem(useOf(grant))))
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
  })

  test('lets one operation that breaks take nobody with it', async () => {
    const ledger = sqliteLedger({ database: handle() })
    const grant = await registeredGrant(ledger, await openedTask(ledger), { limits: [calls(9)] })
    const poison = useOf(grant, { event: Symbol('no text') as never })
    const answers = await Promise.allSettled(
      [useOf(grant), poison, useOf(grant)].map(async (use) => ledger.redeem(use)),
    )
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(await ledger.grant(grant.jti)).toMatchObject({ usesLeft: 7 })
  })

  test('takes no reservation that was guessed from its place', async () => {
    const ledger = sqliteLedger({ database: handle() })
    const grant = await registeredGrant(ledger, await openedTask(ledger), { limits: [calls(9)] })
    await ledger.redeem(useOf(grant))
    for (const guess of ['res_.1', '.1', '1', 'res_x.1', 'res_x.-1', 'res_x.1e0']) {
      expect(await ledger.giveBack(guess, 'guess')).toBe(false)
    }
  })
})
