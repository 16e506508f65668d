import { afterAll, assert, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { cuttableLine } from '../test/cuttable-line.ts'
import type { PostgresServer } from '../test/postgres-server.ts'
import { runsHere, startPostgres, where } from '../test/postgres-server.ts'
import { calls, openedTask, registeredGrant, requestFor, useOf } from '../test/records.ts'
import { startReplica } from '../test/replica.ts'
import { clients, newSchema } from '../test/scenes.ts'
import { postgresLedger } from './postgres-ledger.ts'
import type { PostgresLedgerOptions } from './postgres-ledger-options.ts'

/** Nobody else's server is killed. */
const isOwnServer = process.env['HALLPASS_TEST_POSTGRES_URL'] === undefined
const CLIENTS = 64
const LONG = 120_000

// Processes of their own that run the built package.
const prelude = `
  import pg from 'pg'
  import postgres from 'postgres'
  import { postgresLedger } from '@hallpass/postgres'
  const { url, kind, schema, requests, clients, rounds } = JSON.parse(process.argv[1])
  const pool = kind === 'pg' ? new pg.Pool({ connectionString: url, max: 4 }) : undefined
  pool?.on('error', () => {})
  const client = pool ? { pool } : { sql: postgres(url, { max: 4, onnotice() {} }) }
  const ledger = await postgresLedger({ ...client, schema, withoutFsync: 'for-tests', timeoutSeconds: 30 })
  const say = (value) => process.stdout.write(JSON.stringify(value) + '\\n')
  let n = 0
  const use = (request) => { n += 1; const id = process.pid + '_' + n; return { ...request, attempt: 'at_' + id, event: 'ev_' + id } }
`

/** So many clients, each asking for every grant again and again. */
const race = `${prelude}
  const counts = requests.map(() => 0)
  await Promise.all(Array.from({ length: clients }, async () => {
    for (let round = 0; round < rounds; round += 1) {
      for (const [index, request] of requests.entries()) {
        const answer = await ledger.redeem(use(request))
        if (answer.ok && answer.state === 'first') counts[index] += 1
      }
    }
  }))
  say(counts)
  process.exit()
`

/** Uses until nothing is left; says each that was answered. */
const useUp = `${prelude}
  const worker = async () => {
    for (let failures = 0; failures < 100; ) {
      try {
        const answer = await ledger.redeem(use(requests[0]))
        if (!answer.ok && answer.reason === 'grant-exhausted') return
        if (answer.ok && answer.state === 'first') say(answer.reservation)
      } catch { failures += 1 }
    }
  }
  await Promise.all(Array.from({ length: clients }, worker))
  process.exit()
`

describe.runIf(runsHere)(`on PostgreSQL ${where}`, () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres({ fsync: true })
  }, 60_000)
  afterAll(() => server?.stop())

  const opened = async (url = server.url, more: Partial<PostgresLedgerOptions> = {}) => {
    const client = clients.pg(url)
    onTestFinished(() => client.end())
    const schema = more.schema ?? newSchema()
    const { pool } = client
    const ledger = await postgresLedger({
      schema,
      migrateAtStart: true,
      timeoutSeconds: 30,
      ...(pool && { pool }),
      ...more,
    })
    return { ledger, schema, client }
  }

  test.each(['pg', 'postgres.js'] as const)(
    'lets exactly as many uses through as there are: 4 processes of %s, one paused on the way',
    async (kind) => {
      const { ledger, schema } = await opened()
      const task = await openedTask(ledger)
      const total = { id: 'total', per: 'task', max: 100, parameter: 'amount', scale: 2 } as const
      const agent = { id: 'day', per: 'agent', max: 50, window_seconds: 86_400 } as const
      const wide = (limit: typeof total | typeof agent) => ({ limits: [calls(10_000), limit] })
      const grants = [
        await registeredGrant(ledger, task, { limits: [calls(1)] }),
        await registeredGrant(ledger, task, { limits: [calls(7)] }),
        await registeredGrant(ledger, task, { limits: [calls(100)] }),
        await registeredGrant(ledger, task, wide(total)),
        await registeredGrant(ledger, task, wide(total)),
        await registeredGrant(ledger, task, wide(agent)),
        await registeredGrant(ledger, await openedTask(ledger), wide(agent)),
      ]
      const requests = grants.map((grant) => ({ ...requestFor(grant), amounts: { amount: 7 } }))
      const input = { url: server.url, kind, schema, requests, clients: CLIENTS, rounds: 2 }
      const replicas = Array.from({ length: 4 }, () => startReplica(race, input))
      const pause = setInterval(() => {
        replicas[0]?.signal('SIGSTOP')
        setTimeout(() => replicas[0]?.signal('SIGCONT'), 100)
      }, 400)
      await Promise.all(replicas.map(({ ended }) => ended))
      clearInterval(pause)
      const counts = replicas.map((replica) => JSON.parse(replica.said()[0] ?? '[]') as number[])
      const firsts = grants.map((_, index) => counts.reduce((sum, count) => sum + (count[index] ?? 0), 0))
      expect(firsts.slice(0, 3)).toEqual([1, 7, 100])
      expect((firsts[3] ?? 0) + (firsts[4] ?? 0)).toBe(14)
      expect((firsts[5] ?? 0) + (firsts[6] ?? 0)).toBe(50)
      expect(await ledger.task(task.txn)).toMatchObject({ spent: { total: 98 } })
    },
    LONG,
  )

  test(
    'gives no use twice when a replica is killed between reserve and settle: its uses end as unknown',
    async () => {
      const { ledger, schema } = await opened(server.url, { leaseSeconds: 1 })
      const grant = await registeredGrant(ledger, await openedTask(ledger), { limits: [calls(2000)] })
      const input = { url: server.url, kind: 'pg', schema, requests: [requestFor(grant)], clients: CLIENTS, rounds: 0 }
      const killed = startReplica(useUp, input)
      await killed.until(300)
      killed.signal('SIGKILL')
      await killed.ended
      // What it had sent may still be carried out.
      const rest = startReplica(useUp, input)
      await rest.ended
      const answered = [...killed.said(), ...rest.said()]
      expect(new Set(answered).size).toBe(answered.length)
      expect(answered.length).toBeLessThanOrEqual(2000)
      expect(answered.length).toBeGreaterThanOrEqual(2000 - 2 * 128)
      expect(await ledger.grant(grant.jti)).toMatchObject({ usesLeft: 0 })
    },
    LONG,
  )

  test.runIf(isOwnServer)(
    'gives no use twice when the server is killed and started again under load',
    async () => {
      const { ledger, schema } = await opened()
      const incarnation = ledger.incarnation
      const grant = await registeredGrant(ledger, await openedTask(ledger), { limits: [calls(3000)] })
      const input = { url: server.url, schema, requests: [requestFor(grant)], clients: CLIENTS, rounds: 0 }
      const replicas = ['pg', 'postgres.js'].map((kind) => startReplica(useUp, { ...input, kind }))
      for (let kills = 1; kills <= 2; kills += 1) {
        await Promise.all(replicas.map((replica) => replica.until(300 * kills)))
        await server.process?.kill()
        await server.process?.start()
      }
      await Promise.all(replicas.map(({ ended }) => ended))
      const answered = replicas.flatMap((replica) => replica.said())
      expect(new Set(answered).size).toBe(answered.length)
      expect(await ledger.grant(grant.jti)).toMatchObject({ usesLeft: 0 })
      // Every attempt was sent again until it had its answer, so here not even one is lost.
      expect(answered.length).toBe(3000)
      // The same timeline: nothing that was acknowledged is missing, so nothing is refused.
      expect((await opened(server.url, { schema })).ledger.incarnation).toBe(incarnation)
    },
    LONG,
  )

  test(
    'counts each use once when the connection is cut in the middle of calls',
    async () => {
      const { ledger, schema } = await opened()
      const grant = await registeredGrant(ledger, await openedTask(ledger), { limits: [calls(5000)] })
      const line = await cuttableLine(server.url)
      const { ledger: cut } = await opened(line.url, { schema })
      const cutting = setInterval(() => line.cut(), 150)
      const answers = await Promise.all(
        Array.from({ length: CLIENTS }, async () => {
          const own = []
          for (let n = 0; n < 30; n += 1) own.push(await cut.redeem(useOf(grant)))
          return own
        }),
      )
      clearInterval(cutting)
      const firsts = answers.flat().filter((answer) => answer.ok && answer.state === 'first')
      expect(firsts).toHaveLength(CLIENTS * 30)
      expect(await ledger.grant(grant.jti)).toMatchObject({ usesLeft: 5000 - CLIENTS * 30 })
    },
    LONG,
  )

  test(
    'opens and registers once when the answer is lost',
    async () => {
      const { schema } = await opened()
      const line = await cuttableLine(server.url)
      const { ledger: cut } = await opened(line.url, { schema })
      const cutting = setInterval(() => line.cut(), 170)
      for (let n = 0; n < 100; n += 1) {
        const task = await openedTask(cut)
        await registeredGrant(cut, task, { limits: [calls(1)] })
        expect(await cut.task(task.txn)).toMatchObject({ grantsIssued: 1 })
      }
      clearInterval(cutting)
    },
    LONG,
  )

  test.runIf(isOwnServer)(
    'answers in time when the server stands still, and passes nothing',
    async () => {
      const { ledger } = await opened(server.url, { timeoutSeconds: 1 })
      const grant = await registeredGrant(ledger, await openedTask(ledger), { limits: [calls(5)] })
      server.process?.pause()
      const asked = ledger.redeem(useOf(grant))
      await expect(asked).rejects.toThrow(expect.objectContaining({ code: 'ledger-unavailable' }))
      server.process?.resume()
      const uses = await Promise.all([1, 2, 3, 4, 5, 6].map(async () => ledger.redeem(useOf(grant))))
      // The one that was given up may have been carried out all the same: lost, not doubled.
      expect(uses.filter(({ ok }) => ok).length).toBeLessThanOrEqual(5)
      expect(uses.filter(({ ok }) => ok).length).toBeGreaterThanOrEqual(4)
    },
    LONG,
  )

  test.runIf(isOwnServer)(
    'refuses what was issued before a standby took over, unless the operator knows that nothing can be missing',
    async () => {
      const { ledger, schema } = await opened()
      const { ledger: sure } = await opened(server.url, { schema, failover: 'loses-nothing' })
      const grant = await registeredGrant(ledger, await openedTask(ledger), { limits: [calls(5)] })
      const kept = await registeredGrant(sure, await openedTask(sure), { limits: [calls(5)] })
      const before = ledger.incarnation
      await server.process?.kill()
      await server.process?.startAsSuccessor()
      expect(await ledger.redeem(useOf(grant))).toMatchObject({ reason: 'incarnation-mismatch' })
      expect(ledger.incarnation).not.toBe(before)
      expect(await ledger.revocations({ after: `${before}.0`, limit: 1 })).toEqual({ state: 'gone' })
      expect(await sure.redeem(useOf(kept))).toMatchObject({ state: 'first' })
      await registeredGrant(ledger, await openedTask(ledger), { limits: [calls(1)] })
    },
    LONG,
  )

  test(
    'lets nothing through that is redeemed after a wide revocation was acknowledged, and issues nothing',
    async () => {
      const { ledger, schema } = await opened()
      const { ledger: other } = await opened(server.url, { schema })
      const task = await openedTask(ledger)
      const grants = await Promise.all(
        Array.from({ length: 10 }, () => registeredGrant(ledger, task, { limits: [calls(100_000)] })),
      )
      const [first] = grants
      assert(first !== undefined)
      const state = { acknowledged: false, late: 0 }
      const clientsDone = grants.map(async (grant) => {
        for (let n = 0; n < 60; n += 1) {
          const sentAfter = state.acknowledged
          const answer = await other.redeem(useOf(grant))
          if (sentAfter && answer.ok) state.late += 1
        }
      })
      const issuing = (async () => {
        let refused = 0
        for (let n = 0; n < 30; n += 1) {
          const sentAfter = state.acknowledged
          const answer = await other.registerGrant({ ...first, jti: `gr_late_${n}` })
          if (sentAfter && answer.ok) state.late += 1
          if (!answer.ok) refused += 1
        }
        return refused
      })()
      await new Promise((resolve) => setTimeout(resolve, 20))
      const effect = await ledger.revoke({ kind: 'everything' }, 'incident')
      state.acknowledged = true
      await Promise.all(clientsDone)
      expect(await issuing).toBeGreaterThan(0)
      expect(state.late).toBe(0)
      expect(effect.tasks).toEqual([task.txn])
      for (const { jti } of effect.grants)
        expect(await ledger.redeem(useOf({ ...first, jti }))).toMatchObject({ ok: false })
    },
    LONG,
  )
})
