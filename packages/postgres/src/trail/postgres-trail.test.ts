import type { AuditEvent } from '@hallpass/core'
import { verifyTrail } from '@hallpass/core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { PostgresServer } from '../../test/postgres-server.ts'
import { runsHere, startPostgres, where } from '../../test/postgres-server.ts'
import { clients, newSchema } from '../../test/scenes.ts'
import type { PgPool } from '../postgres-client.ts'
import { postgresTrail } from './postgres-trail.ts'

const eventOf = (n: number, change: Partial<AuditEvent> = {}): AuditEvent => ({
  id: `ev_${String(n).padStart(8, '0')}`,
  type: 'use.started',
  time: 1_750_000_000 + n,
  source: 'broker:https://b.example',
  txn: `tsk_${n % 3}`,
  ...change,
})
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)
const unavailable = expect.objectContaining({ code: 'audit-unavailable' }) as Error

describe('postgresTrail() options', () => {
  const pool: PgPool = { query: async () => ({ rows: [] }) }
  test.each([
    ['no client', {}],
    ['a schema that needs quotes', { pool, schema: 'a"b' }],
    ['room for nothing', { pool, maxWaiting: 0 }],
    ['no time', { pool, timeoutSeconds: 0 }],
  ])('refuses %s', async (_name, options) => {
    await expect(postgresTrail(options)).rejects.toThrow(expect.objectContaining({ code: 'configuration-invalid' }))
  })
})

describe.runIf(runsHere)(`postgresTrail() on PostgreSQL ${where}`, { timeout: 60_000 }, () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres({ fsync: false })
  }, 60_000)
  afterAll(async () => server.stop())

  async function opened(kind: keyof typeof clients = 'pg', schema = newSchema()) {
    const client = clients[kind](server.url)
    onTestFinished(async () => client.end())
    const { pool, sql } = client
    const options = { schema, ...(pool && { pool }), ...(sql && { sql }) }
    return { client, schema, options, trail: await postgresTrail(options) }
  }

  test.each(['pg', 'postgres.js'] as const)('keeps a chain that verifies, over a restart, by %s', async (kind) => {
    const first = await opened(kind)
    await Promise.all(range(1, 700).map(async (n) => first.trail.append(eventOf(n))))
    await first.trail.close()
    const second = await opened(kind, first.schema)
    await second.trail.append(eventOf(701))
    expect(second.trail.tail).toHaveLength(700)
    expect(await verifyTrail(second.trail.lines())).toMatchObject({ ok: true, lines: 701, head: second.trail.head })
    expect((await second.trail.events({ txn: 'tsk_1', id: 'ev_00000001' })).map(({ seq }) => seq)).toEqual([1])
  })

  test('carries one chain through processes that append at once', async () => {
    const [first, other] = ['pg', 'postgres.js'] as const
    const { schema, trail } = await opened(first)
    const second = await opened(other, schema)
    for (const round of range(0, 9)) {
      const some = range(round * 40 + 1, round * 40 + 40)
      await Promise.all(some.map(async (n) => (n % 2 === 0 ? trail : second.trail).append(eventOf(n))))
    }
    expect(await verifyTrail(trail.lines())).toMatchObject({ ok: true, lines: 400 })
  })

  test('records an event once, whoever brings it again', async () => {
    const first = await opened()
    const second = await opened('pg', first.schema)
    await Promise.all([first.trail.append(eventOf(1)), first.trail.append(eventOf(1)), second.trail.append(eventOf(1))])
    await second.trail.append(eventOf(1, { source: 'another' }))
    expect((await first.trail.events()).map(({ source }) => source)).toEqual(['broker:https://b.example', 'another'])
  })

  test('records an event once when the answer to it got lost', async () => {
    const { options, trail } = await opened()
    let isLost = true
    const pool: PgPool = {
      async query(config) {
        const answer = await options.pool?.query(config)
        if (isLost && config.text.startsWith('INSERT')) {
          isLost = false
          throw new Error('Connection terminated unexpectedly')
        }
        return answer ?? { rows: [] }
      },
    }
    const lossy = await postgresTrail({ pool, schema: options.schema })
    await Promise.all([lossy.append(eventOf(1)), lossy.append(eventOf(2))])
    await lossy.append(eventOf(3))
    expect((await trail.events()).map(({ id }) => id)).toEqual([1, 2, 3].map((n) => eventOf(n).id))
    expect(await verifyTrail(trail.lines())).toMatchObject({ ok: true, lines: 3 })
  })

  test('lets no statement change or take away a line', async () => {
    const { client, schema, trail } = await opened()
    await trail.append(eventOf(1))
    for (const statement of [
      `UPDATE ${schema}.trail SET line = 'x'`,
      `DELETE FROM ${schema}.trail`,
      `TRUNCATE ${schema}.trail`,
    ])
      await expect(client.run(statement)).rejects.toThrow('only appended')
  })

  test('refuses one event that no line can hold, and none beside it', async () => {
    const { trail } = await opened()
    const long = trail.append(eventOf(2, { note: 'x'.repeat(70_000) }))
    const good = trail.append(eventOf(3))
    await expect(long).rejects.toThrow(unavailable)
    await good
    expect(await verifyTrail(trail.lines())).toMatchObject({ ok: true, lines: 1 })
  })

  test('takes characters that no column can hold, and every event beside them', async () => {
    const { trail } = await opened()
    const odd = eventOf(1, { txn: 'a\0b', note: '\uD800', source: 'x#\0' })
    await Promise.all([trail.append(odd), trail.append(eventOf(2)), trail.append(odd)])
    const lines = await trail.events()
    expect(lines.map(({ txn }) => txn)).toEqual(['a\0b', 'tsk_2'])
    expect(await verifyTrail(trail.lines())).toMatchObject({ ok: true, lines: 2 })
  })

  test('refuses what the database does not take in time, and goes on when it does', async () => {
    const { options, trail } = await opened()
    let isDown = false
    const pool: PgPool = {
      async query(config) {
        if (isDown) throw new Error('ECONNREFUSED')
        return (await options.pool?.query(config)) ?? { rows: [] }
      },
    }
    const shaky = await postgresTrail({ pool, schema: options.schema, timeoutSeconds: 0.1 })
    isDown = true
    await expect(shaky.append(eventOf(1))).rejects.toThrow(unavailable)
    isDown = false
    await shaky.append(eventOf(2))
    expect((await trail.events()).map(({ id }) => id)).toEqual([eventOf(2).id])
    await shaky.close()
    await expect(shaky.append(eventOf(3))).rejects.toThrow(unavailable)
  })
})
