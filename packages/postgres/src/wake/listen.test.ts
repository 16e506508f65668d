import type { Ledger } from '@hallpass/core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { cuttableLine } from '../../test/cuttable-line.ts'
import type { PostgresServer } from '../../test/postgres-server.ts'
import { runsHere, startPostgres, where } from '../../test/postgres-server.ts'
import { calls, openedTask, registeredGrant } from '../../test/records.ts'
import type { Client } from '../../test/scenes.ts'
import { clients, newSchema } from '../../test/scenes.ts'
import { postgresLedger } from '../postgres-ledger.ts'
import type { PostgresLedgerOptions } from '../postgres-ledger-options.ts'

const AT_MOST = { timeout: 30_000, interval: 10 }
const LONG = 90_000
const isOwnServer = process.env['HALLPASS_TEST_POSTGRES_URL'] === undefined

describe.runIf(runsHere)(`on PostgreSQL ${where}`, () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres({ fsync: false })
  }, 60_000)
  afterAll(() => server?.stop())

  const connected = (kind: keyof typeof clients, url = server.url): Client => {
    const client = clients[kind](url)
    onTestFinished(() => client.end())
    return client
  }
  const ledgerBy = (client: Client, schema: string, more: Partial<PostgresLedgerOptions> = {}): Promise<Ledger> => {
    const { pool, sql } = client
    const given = { ...(pool && { pool }), ...(sql && { sql }) }
    return postgresLedger({
      withoutFsync: 'for-tests',
      migrateAtStart: true,
      timeoutSeconds: 30,
      schema,
      ...given,
      ...more,
    })
  }
  const kill = async (ledger: Ledger): Promise<void> => {
    const { jti } = await registeredGrant(ledger, await openedTask(ledger), { limits: [calls(1)] })
    await ledger.revoke({ kind: 'grant', jti }, 'leaked')
  }
  /** Counts the wakes of one watcher. */
  const watching = (ledger: Ledger) => {
    const seen = { wakes: 0, end: () => {} }
    seen.end = ledger.watch?.(() => (seen.wakes += 1)) ?? seen.end
    onTestFinished(() => seen.end())
    return seen
  }
  const woken = async (seen: { readonly wakes: number }, before: number): Promise<boolean> =>
    vi.waitFor(() => {
      if (seen.wakes <= before) throw new Error('Nobody woke it')
      return true
    }, AT_MOST)
  const listeners = async (client: Client, schema: string): Promise<readonly unknown[]> =>
    client.run(`SELECT pid FROM pg_stat_activity WHERE query ILIKE 'listen "${schema}.%'`)

  describe.each(['pg', 'postgres.js'] as const)('watch() by %s', (kind) => {
    test('is woken by what another process killed', async () => {
      const schema = newSchema()
      const one = await ledgerBy(connected('pg'), schema)
      const seen = watching(await ledgerBy(connected(kind), schema))
      expect(await woken(seen, 0)).toBe(true)
      for (const happens of [
        () => kill(one),
        () => one.revoke({ kind: 'everything' }, 'incident'),
        () => one.resume({ kind: 'everything' }, 'over'),
      ]) {
        const before = seen.wakes
        await happens()
        expect(await woken(seen, before)).toBe(true)
      }
    })

    test('is woken by a task that ends with living grants', async () => {
      const schema = newSchema()
      const one = await ledgerBy(connected('pg'), schema)
      const seen = watching(await ledgerBy(connected(kind), schema))
      expect(await woken(seen, 0)).toBe(true)
      const task = await openedTask(one)
      await registeredGrant(one, task, { limits: [calls(1)] })
      const before = seen.wakes
      await one.endTask(task.txn, 'completed')
      expect(await woken(seen, before)).toBe(true)
    })

    test(
      'listens again after its connection was cut, and wakes for what it may have missed',
      async () => {
        const schema = newSchema()
        const one = await ledgerBy(connected('pg'), schema)
        const line = await cuttableLine(server.url)
        const seen = watching(await ledgerBy(connected(kind, line.url), schema))
        expect(await woken(seen, 0)).toBe(true)
        line.state = 'refuse'
        line.cut()
        await kill(one)
        const missed = seen.wakes
        line.state = 'pass'
        expect(await woken(seen, missed)).toBe(true)
        const before = seen.wakes
        await kill(one)
        expect(await woken(seen, before)).toBe(true)
      },
      LONG,
    )

    test(
      'begins to listen as soon as it can, where it could not at first',
      async () => {
        const schema = newSchema()
        const line = await cuttableLine(server.url)
        const ledger = await ledgerBy(connected(kind, line.url), schema)
        line.state = 'refuse'
        line.cut()
        const seen = watching(ledger)
        line.state = 'pass'
        expect(await woken(seen, 0)).toBe(true)
        const before = seen.wakes
        await kill(await ledgerBy(connected('pg'), schema))
        expect(await woken(seen, before)).toBe(true)
      },
      LONG,
    )

    test('is not woken any more when it ended, and leaves nothing that listens', async () => {
      const schema = newSchema()
      const client = connected('pg')
      const one = await ledgerBy(client, schema)
      const own = clients[kind](server.url)
      const ledger = await ledgerBy(own, schema)
      const seen = watching(ledger)
      expect(await woken(seen, 0)).toBe(true)
      expect(await listeners(client, schema)).toHaveLength(1)
      seen.end()
      const last = seen.wakes
      const other = watching(one)
      await kill(ledger)
      expect(await woken(other, 1)).toBe(true)
      other.end()
      await own.end()
      await vi.waitFor(async () => expect(await listeners(client, schema)).toEqual([]), AT_MOST)
      expect(seen.wakes).toBe(last)
    })

    test('ends before it began', async () => {
      const schema = newSchema()
      const client = connected('pg')
      await ledgerBy(client, schema)
      const own = clients[kind](server.url)
      const seen = watching(await ledgerBy(own, schema))
      seen.end()
      await own.end()
      await vi.waitFor(async () => expect(await listeners(client, schema)).toEqual([]), AT_MOST)
      expect(seen.wakes).toBe(0)
    })

    test.runIf(isOwnServer)(
      'listens again when the server was killed and is back',
      async () => {
        const own = await startPostgres({ fsync: false })
        onTestFinished(() => own.stop())
        const schema = newSchema()
        const one = await ledgerBy(connected('pg', own.url), schema)
        const seen = watching(await ledgerBy(connected(kind, own.url), schema))
        expect(await woken(seen, 0)).toBe(true)
        await own.process?.kill()
        const before = seen.wakes
        await own.process?.start()
        expect(await woken(seen, before)).toBe(true)
        const again = seen.wakes
        await kill(one)
        expect(await woken(seen, again)).toBe(true)
      },
      LONG,
    )
  })

  test('watch() hears nothing where listening is off or a pooler is between, and by a client of its own it does', async () => {
    const schema = newSchema()
    const one = await ledgerBy(connected('pg'), schema)
    const [direct, pooled] = [connected('pg'), connected('postgres.js')]
    const deaf = [
      watching(await ledgerBy(pooled, schema, { prepare: false })),
      watching(await ledgerBy(pooled, schema, { listen: false })),
    ]
    const heard = [
      watching(await ledgerBy(pooled, schema, { prepare: false, ...(direct.pool && { listen: direct.pool }) })),
      watching(await ledgerBy(direct, schema, pooled.sql && { listen: pooled.sql })),
    ]
    for (const seen of heard) expect(await woken(seen, 0)).toBe(true)
    const before = heard.map(({ wakes }) => wakes)
    await kill(one)
    for (const [index, seen] of heard.entries()) expect(await woken(seen, before[index] ?? 0)).toBe(true)
    expect(deaf.map(({ wakes }) => wakes)).toEqual([0, 0])
  })

  test('tells nobody of what logged nothing', async () => {
    const schema = newSchema()
    const one = await ledgerBy(connected('pg'), schema)
    const seen = watching(one)
    expect(await woken(seen, 0)).toBe(true)
    const before = seen.wakes
    await one.revoke({ kind: 'everything' }, 'what if', { dryRun: true })
    await one.revoke({ kind: 'grant', jti: 'gr_unknown' }, 'leaked')
    await one.endTask((await openedTask(one)).txn, 'completed')
    await one.resume({ kind: 'everything' }, 'never stood')
    expect(seen.wakes).toBe(before)
  })

  test.each([{ listen: true }, { listen: {} }, { listen: 'postgres://' }])('refuses %j to listen by', async (more) => {
    const given = ledgerBy(connected('pg'), newSchema(), more as never)
    await expect(given).rejects.toMatchObject({ code: 'configuration-invalid' })
  })
})
