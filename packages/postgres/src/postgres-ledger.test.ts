import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { PostgresServer } from '../test/postgres-server.ts'
import { runsHere, startPostgres, where } from '../test/postgres-server.ts'
import { calls, openedTask, registeredGrant, useOf } from '../test/records.ts'
import type { Client } from '../test/scenes.ts'
import { clear, clients, holdClock, newSchema } from '../test/scenes.ts'
import type { PgPool } from './postgres-client.ts'
import { postgresLedger } from './postgres-ledger.ts'
import type { PostgresLedgerOptions } from './postgres-ledger-options.ts'
import { migratePostgres, raisePostgresEpoch } from './start-up.ts'

const T0 = 1_700_000_000
/** Started here, without fsync and with one role. */
const isOwnServer = process.env['HALLPASS_TEST_POSTGRES_URL'] === undefined
const isInvalid = expect.objectContaining({ code: 'configuration-invalid' })
const isUnavailable = expect.objectContaining({ code: 'ledger-unavailable' })
const pool = { query: async () => ({ rows: [] }) }

describe('postgresLedger() options', () => {
  test.each([
    ['nothing', undefined],
    ['no client', {}],
    ['two clients', { pool, sql: { unsafe: () => {} } }],
    ['a URL for a pool', { pool: 'postgres://' }],
    ['an unknown option', { pool, exactFor: 'one-process' }],
    ['another word for a failover', { pool, failover: 'maybe' }],
    ['fsync off without saying for what', { pool, withoutFsync: true }],
    ['a group of none', { pool, groupSize: 0 }],
    ['a schema that needs quotes', { pool, schema: 'a"; DROP SCHEMA x' }],
    ['more skew than there may be', { pool, maxSkewSeconds: 31 }],
  ])('refuses %s', async (_what, options) => {
    await expect(postgresLedger(options as never)).rejects.toThrow(isInvalid)
  })
})

describe.runIf(runsHere)(`on PostgreSQL ${where}`, () => {
  let server: PostgresServer
  let client: Client
  const open: Client[] = []
  const connected = (kind: keyof typeof clients, more?: { options: string }): Client => {
    const made = clients[kind](server.url, more)
    open.push(made)
    return made
  }
  const optionsOf = ({ pool, sql }: Client, schema: string): PostgresLedgerOptions => ({
    schema,
    withoutFsync: 'for-tests',
    ...(pool && { pool }),
    ...(sql && { sql }),
  })
  /** A schema with a ledger on a clock of its own. */
  const fresh = async (more: Partial<PostgresLedgerOptions> = {}) => {
    const schema = newSchema()
    const options = { ...optionsOf(client, schema), ...more }
    await migratePostgres(options)
    const advance = await holdClock(client, schema)
    await clear(client, schema, T0 * 1e6)
    return {
      schema,
      options,
      advance: (seconds: number) => advance(seconds * 1e6),
      ledger: await postgresLedger(options),
    }
  }
  beforeAll(async () => {
    server = await startPostgres({ fsync: false })
    client = connected('pg')
  }, 60_000)
  afterAll(async () => {
    await Promise.all(open.map((each) => each.end()))
    await server?.stop()
  })

  test('refuses an older schema, and a newer one', async () => {
    const schema = newSchema()
    const options = optionsOf(client, schema)
    await expect(postgresLedger(options)).rejects.toThrow(/version 0 and needs/)
    await postgresLedger({ ...options, migrateAtStart: true })
    await client.run(`INSERT INTO ${schema}.schema_version (version) VALUES (999)`)
    await expect(postgresLedger(options)).rejects.toThrow(/version 999/)
    await expect(migratePostgres(options)).rejects.toThrow(isInvalid)
  })

  test('migrates once when many start at once', async () => {
    const schema = newSchema()
    const options = { ...optionsOf(client, schema), migrateAtStart: true }
    const ledgers = await Promise.all(Array.from({ length: 6 }, () => postgresLedger(options)))
    expect(new Set(ledgers.map(({ incarnation }) => incarnation)).size).toBe(1)
    expect(await client.run(`SELECT version FROM ${schema}.schema_version`)).toEqual([{ version: 1 }, { version: 2 }])
  })

  test.runIf(isOwnServer)('refuses a server without fsync unless it is named', async () => {
    const { options } = await fresh()
    const { withoutFsync: _named, ...rest } = options
    await expect(postgresLedger(rest)).rejects.toThrow(/fsync/)
  })

  test.each(['pg', 'postgres.js'] as const)(
    'refuses connections of %s whose snapshot would hide a revocation',
    async (kind) => {
      const { schema } = await fresh()
      const other = connected(kind, { options: '-c default_transaction_isolation=serializable' })
      await expect(postgresLedger(optionsOf(other, schema))).rejects.toThrow(isInvalid)
    },
  )

  test('refuses every operation on a connection that is in it later', async () => {
    const { options, ledger } = await fresh()
    const grant = await registeredGrant(ledger, await openedTask(ledger), { limits: [calls(5)] })
    const other = connected('pg', { options: '-c default_transaction_isolation=serializable' })
    let now = client
    const query: PgPool['query'] = async (config) => {
      if (now.pool === undefined) throw new Error('pg has a pool')
      return now.pool.query(config)
    }
    const mixed = await postgresLedger({ ...options, pool: { query } })
    now = other
    await expect(mixed.redeem(useOf(grant))).rejects.toThrow(isInvalid)
    await expect(mixed.endTask(grant.txn, 'completed')).rejects.toThrow(isInvalid)
    await expect(mixed.revocations({ limit: 1 })).rejects.toThrow(isInvalid)
    expect(await ledger.grant(grant.jti)).toMatchObject({ usesLeft: 5 })
  })

  test('commits to the disk where the role would not', async () => {
    const { schema } = await fresh()
    const other = connected('pg', { options: '-c synchronous_commit=off' })
    const [row] = await other.run(
      `SELECT ${schema}.begin_work(false), current_setting('synchronous_commit') AS setting`,
    )
    expect(row).toMatchObject({ setting: 'on' })
  })

  test('refuses every task and grant of an earlier epoch, at replicas that run too', async () => {
    const { options, ledger } = await fresh()
    const [replica, reader] = [await postgresLedger(options), await postgresLedger(options)]
    const grant = await registeredGrant(ledger, await openedTask(ledger), { limits: [calls(5)] })
    const use = await ledger.redeem(useOf(grant))
    const old = ledger.incarnation
    await raisePostgresEpoch(options)
    expect(await replica.redeem(useOf(grant))).toMatchObject({ reason: 'incarnation-mismatch' })
    expect(replica.incarnation).not.toBe(old)
    expect(await ledger.giveBack(use.ok && use.state === 'first' ? use.reservation : '', 'late')).toBe(false)
    expect(await ledger.registerGrant({ ...grant, jti: 'gr_new' })).toMatchObject({ reason: 'incarnation-mismatch' })
    expect(ledger.incarnation).toBe(replica.incarnation)
    expect(await ledger.revocations({ after: `${old}.0`, limit: 1 })).toEqual({ state: 'gone' })
    await openedTask(ledger)
    const read = await reader.revocations({ limit: 1 })
    expect(reader.incarnation).toBe(ledger.incarnation)
    expect(read).toMatchObject({ state: 'read', cursor: expect.stringContaining(`${ledger.incarnation}.`) as string })
  })

  test('never goes back behind the time the database has seen', async () => {
    const { options, advance, ledger } = await fresh()
    const limits = [calls(5)]
    const grant = await registeredGrant(ledger, await openedTask(ledger), { limits, iat: T0, exp: T0 + 60 })
    await advance(61)
    expect(await ledger.redeem(useOf(grant))).toMatchObject({ reason: 'token-expired' })
    await advance(-50)
    const replica = await postgresLedger(options)
    expect(await replica.now()).toBe(T0 + 61)
    expect(await replica.redeem(useOf(grant))).toMatchObject({ reason: 'token-expired' })
  })

  test('counts on in the window of an agent when its clock goes back within what it does not remember', async () => {
    const { options, advance, ledger } = await fresh()
    const limits = [calls(9), { id: 'minute', per: 'agent', max: 2, window_seconds: 60 } as const]
    const grant = await registeredGrant(ledger, await openedTask(ledger), { limits })
    await advance(60 - (T0 % 60) - 0.2)
    const uses = [await ledger.redeem(useOf(grant))]
    // The window after it is full, before the time of that is written down.
    await advance(0.4)
    uses.push(await ledger.redeem(useOf(grant)), await ledger.redeem(useOf(grant)))
    expect(uses.map(({ ok }) => ok)).toEqual([true, true, true])
    await advance(-0.4)
    const replica = await postgresLedger(options)
    expect(await replica.redeem(useOf(grant))).toMatchObject({ reason: 'limit-exceeded', limit: 'minute' })
    await advance(0.4)
    expect(await replica.redeem(useOf(grant))).toMatchObject({ reason: 'limit-exceeded', limit: 'minute' })
  })

  test('remembers a proof and a mark for as long as its clock may go back to when they were good', async () => {
    const { advance, ledger } = await fresh({ maxSkewSeconds: 0 })
    const grant = await registeredGrant(ledger, await openedTask(ledger), { limits: [calls(9)] })
    const proof = { jkt: 'jkt', jti: 'p', iat: T0, acceptUntil: T0 + 60 }
    expect(await ledger.redeem(useOf(grant, { proof }))).toMatchObject({ state: 'first' })
    expect(await ledger.markOnce('mark', T0 + 60)).toBe('first')
    await advance(59.3)
    await ledger.redeem(useOf(grant))
    await advance(0.8)
    await ledger.sweep()
    await advance(-0.2)
    expect(await ledger.redeem(useOf(grant, { proof }))).toMatchObject({ reason: 'proof-replayed' })
    expect(await ledger.markOnce('mark', T0 + 60)).toBe('seen')
  })

  test('keeps nothing once all is over and swept', async () => {
    const { advance, ledger } = await fresh()
    const limits = [
      calls(9),
      { id: 'total', per: 'grant', max: 5, parameter: 'amount', scale: 2 } as const,
      { id: 'task', per: 'task', max: 9 } as const,
      { id: 'minute', per: 'agent', max: 9, window_seconds: 60 } as const,
    ]
    const task = await openedTask(ledger)
    const grant = await registeredGrant(ledger, task, { limits })
    const proof = { jkt: 'jkt', jti: 'p', iat: T0, acceptUntil: T0 + 60 }
    const settled = await ledger.redeem(useOf(grant, { amounts: { amount: 1 }, proof }))
    await ledger.settle(settled.ok && settled.state === 'first' ? settled.reservation : '', { status: 200 })
    await ledger.redeem(useOf(grant, { amounts: { amount: 1 }, idempotency: { key: 'k', digest: 'd' } }))
    await ledger.redeem(useOf(grant, { amounts: { amount: 1 } }))
    await ledger.markOnce('mark', T0 + 60)
    await ledger.bindKey('assertion', 'jkt', { maxKeys: 1, until: T0 + 60 })
    await ledger.reserveStatus({ name: 's', until: T0 + 900 }, 8)
    await advance(310)
    await ledger.sweep()
    await ledger.sweep()
    expect(await ledger.sizes()).toMatchObject({ grants: 0, uses: 1, running: 0 })
    expect(await ledger.task(task.txn)).toMatchObject({ uses: { 'refund.create': 3 } })
    await ledger.revoke({ kind: 'agent', clientId: 'support-bot' }, 'incident')
    await ledger.resume({ kind: 'agent', clientId: 'support-bot' }, 'over')
    for (let sweeps = 0; sweeps < 3; sweeps += 1) {
      await advance(2000)
      await ledger.sweep()
    }
    expect(new Set(Object.values(await ledger.sizes()))).toEqual(new Set([0]))
  })

  test('reports what lapsed once, however many brokers sweep at once', async () => {
    const { options, advance, ledger } = await fresh()
    const task = await openedTask(ledger)
    for (let n = 0; n < 50; n += 1) {
      const grant = await registeredGrant(ledger, task, { limits: [calls(2)] })
      await ledger.redeem(useOf(grant))
    }
    await advance(700)
    const brokers = await Promise.all(Array.from({ length: 4 }, () => postgresLedger(options)))
    const swept = await Promise.all([...brokers, ...brokers].map(async (broker) => broker.sweep()))
    expect(swept.flatMap(({ tasks }) => tasks)).toHaveLength(1)
    expect(new Set(swept.flatMap(({ grants }) => grants.map(({ jti }) => jti))).size).toBe(50)
    expect(swept.flatMap(({ grants }) => grants)).toHaveLength(50)
    expect(swept.flatMap(({ unknownUses }) => unknownUses)).toHaveLength(50)
  })

  test('decides a whole tick exactly: the edge of a grant, a proof twice, a key twice, an attempt twice', async () => {
    const { ledger } = await fresh()
    const task = await openedTask(ledger)
    const grant = await registeredGrant(ledger, task, { limits: [calls(5)] })
    const proof = { jkt: 'jkt', jti: 'same', iat: T0, acceptUntil: T0 + 60 }
    const idempotency = { key: 'k', digest: 'd' }
    const attempt = useOf(grant)
    const replay = [useOf(grant, { proof }), useOf(grant, { proof })]
    const retry = [useOf(grant, { idempotency }), useOf(grant, { idempotency })]
    const uses = [...replay, ...retry, attempt, attempt, useOf(grant), useOf(grant), useOf(grant)]
    const answers = await Promise.all(uses.map(async (use) => ledger.redeem(use)))
    expect(answers.map((answer) => (answer.ok ? answer.state : answer.reason))).toEqual(
      `first proof-replayed first running first first first first grant-exhausted`.split(' '),
    )
    expect(answers[5]).toEqual(answers[4])
    expect(await ledger.grant(grant.jti)).toMatchObject({ usesLeft: 0 })
  })

  test('refuses texts that the database cannot keep, and fails nobody else with them', async () => {
    const { ledger } = await fresh()
    const task = await openedTask(ledger)
    const grant = await registeredGrant(ledger, task, { limits: [calls(5)] })
    const answers = await Promise.all([
      ledger.redeem(useOf(grant, { event: 'a\0b' })),
      ledger.redeem(useOf(grant, { attempt: '\ud800' })),
      ledger.redeem(useOf(grant)),
    ])
    expect(answers.map((answer) => answer.ok || answer.reason)).toEqual([
      'request-malformed',
      'request-malformed',
      true,
    ])
    expect(await ledger.registerGrant({ ...grant, jti: 'a\0' })).toMatchObject({ reason: 'request-invalid' })
    await expect(openedTask(ledger, { txn: '\0' })).rejects.toThrow('request-invalid')
    await openedTask(ledger, { note: 'a\0\ud800 note' })
    expect(await ledger.markOnce('\0', T0 + 60)).toBe('seen')
    expect(await ledger.task('\0')).toBeUndefined()
    expect(await ledger.revoke({ kind: 'task', txn: task.txn }, 'a\0\ud800 reason')).toMatchObject({
      tasks: [task.txn],
    })
  })

  test('never charges one grant for two of the same id', async () => {
    const { ledger } = await fresh()
    const limit = { id: 'day', per: 'agent', max: 100, window_seconds: 86_400 } as const
    const chargeAtIssue = { limits: [limit], amounts: {}, uses: 30 }
    const tasks = await Promise.all(Array.from({ length: 8 }, () => openedTask(ledger)))
    const answers = await Promise.allSettled(
      tasks.map((task) => registeredGrant(ledger, task, { limits: [calls(1)], chargeAtIssue })),
    )
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(3)
  })

  test.runIf(isOwnServer)('runs as a role that may use the schema and nothing else', async () => {
    const { schema } = await fresh()
    const role = `role_${schema}`
    await client.run(`CREATE ROLE ${role} LOGIN;
      GRANT USAGE ON SCHEMA ${schema} TO ${role};
      GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO ${role}`)
    const plain = clients.pg(server.url.replace('//hallpass@', `//${role}@`))
    open.push(plain)
    const ledger = await postgresLedger(optionsOf(plain, schema))
    const grant = await registeredGrant(ledger, await openedTask(ledger), { limits: [calls(1)] })
    expect(await ledger.redeem(useOf(grant))).toMatchObject({ state: 'first' })
    await ledger.revoke({ kind: 'everything' }, 'incident')
    await ledger.sweep()
  })

  test('is unavailable, not permissive, when nobody answers', async () => {
    const { options } = await fresh()
    const silent = { query: () => new Promise<never>(() => {}) }
    await expect(postgresLedger({ pool: silent, timeoutSeconds: 1 })).rejects.toThrow(isUnavailable)
    const failing = { query: async () => Promise.reject(Object.assign(new Error('x'), { code: 'ECONNREFUSED' })) }
    await expect(postgresLedger({ ...options, pool: failing, timeoutSeconds: 1 })).rejects.toThrow(isUnavailable)
  })
})
