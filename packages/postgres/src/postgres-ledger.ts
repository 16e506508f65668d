import type { JsonObject, Ledger, Outcome, RedeemAnswer, RefusalReason, Result } from '@hallpass/core'
import { HallpassError, ok, refuse, reservationIds, targetName } from '@hallpass/core'
import { Groups } from './groups.ts'
import { grantWire, taskWire } from './issue-wire.ts'
import type { PostgresValue } from './postgres-client.ts'
import type { PostgresLedgerOptions } from './postgres-ledger-options.ts'
import { listenOf, postgresBounds } from './postgres-ledger-options.ts'
import { effectOf, grantOf, logOf, seqsIn, sweptOf, taskOf, useStateOf } from './read-wire.ts'
import type { AnswerRow, RedeemItem } from './redeem-wire.ts'
import { answerOf, itemOf, outcomesOf, parseReservation } from './redeem-wire.ts'
import { channelOf } from './schema/schema-sql.ts'
import { DatabaseFull } from './server.ts'
import { DEFAULT_SCHEMA, asFault, checkServer, migratePostgres, serverOf } from './start-up.ts'
import { Wakes } from './wake/wakes.ts'
import { isKeepable, keepableJson, keptWords, toSeconds, toUs } from './wire-text.ts'

/** Of each kind in one sweep, so that nothing waits long for it; the next one goes on. */
const SWEPT_AT_ONCE = 2000

export interface PostgresLedger extends Ledger {
  readonly exactFor: 'all-replicas'
}

/**
 * A ledger in PostgreSQL, exact for every replica of every broker and API that uses the same schema, and
 * durable: what it answered was committed with synchronous_commit on. Redeems of one turn of the event loop are one
 * round trip. Knows registered grants only.
 *
 * An operation that cannot be had in time throws HallpassError `ledger-unavailable`; on a full disk issue and redeem
 * are refused as `ledger-full`. Throws `configuration-invalid` for a schema of another version, a server without fsync,
 * connections that are not in READ COMMITTED, or an option out of range. Does not see whether a standby is up to date:
 * `failover` says what the operator knows.
 */
export async function postgresLedger(options: PostgresLedgerOptions): Promise<PostgresLedger> {
  const bounds = postgresBounds(options)
  const { maxSkewSeconds, groupSize, groupsAtOnce, maxWaiting } = bounds
  if (options.migrateAtStart === true) await migratePostgres(options)
  const started = serverOf(options)
  await checkServer(started, options)
  const { server, sql } = started
  const timeline = options.failover !== 'loses-nothing'
  const skew = toUs(maxSkewSeconds)

  const one = async (text: string, values: readonly PostgresValue[], resend = true): Promise<unknown> => {
    try {
      return await server.one(text, values, { resend })
    } catch (error) {
      throw asFault(error, 'PostgreSQL did not take the operation')
    }
  }
  const readIncarnation = async () => String(await one(sql.incarnation, [timeline]))
  let incarnation = await readIncarnation()
  /** After a failover, or when the operator raised the epoch. */
  const noticed = async <A>(answer: A, reason: string | undefined): Promise<A> => {
    if (reason === 'incarnation-mismatch') incarnation = await readIncarnation()
    return answer
  }
  const wakes = new Wakes({
    channel: channelOf(options.schema ?? DEFAULT_SCHEMA),
    listen: listenOf(options),
    notify: (channel, payload) => server.rows(sql.notify, () => [channel, payload], { resend: false }),
  })
  /** Tells that there may be lines on the log. */
  const told = <T>(answer: T, mayHaveLogged: boolean): T => {
    if (mayHaveLogged) wakes.wake()
    return answer
  }
  const newSecret = reservationIds()
  const grouping = { groupSize, maxWaiting, timeoutMs: bounds.timeoutSeconds * 1000 }

  const redeems = new Groups<RedeemItem, RedeemAnswer>({
    ...grouping,
    groupsAtOnce,
    async run(items) {
      const json = JSON.stringify(items.map((item, n) => ({ n, ...item })))
      const values = [json, toUs(bounds.leaseSeconds), skew, timeline]
      const rows = (await server.rows(sql.redeem, () => values, { resend: true })) as readonly AnswerRow[]
      const answers = new Map(rows.map((row) => [row.n, answerOf(row)]))
      return items.map((_, n) => answers.get(n) ?? refuse('ledger-unavailable'))
    },
  })
  const settles = new Groups<JsonObject, true>({
    ...grouping,
    groupsAtOnce: 1,
    async run(items) {
      await server.rows(sql.settle, () => [JSON.stringify(items.map((item, n) => ({ n, ...item })))], { resend: true })
      return items.map(() => true)
    },
  })
  /** Null, or `{ reason, limit }`; sent again after a cut as what may have been done already. */
  const issue = async (text: string, values: (isResend: boolean) => PostgresValue[]): Promise<unknown> => {
    const rows = await server.rows(text, values, { resend: true })
    return Object(rows[0])['r']
  }

  return {
    exactFor: 'all-replicas',
    get incarnation() {
      return incarnation
    },
    now: async () => toSeconds(await one(sql.now, [])),
    async openTask(task, { maxOpenTasks }) {
      const wire = taskWire(task, { maxOpenTasks, maxTaskSeconds: bounds.maxTaskSeconds })
      if ('ok' in wire) return wire
      try {
        const no = await issue(sql.openTask, (isResend) => [wire.facts, wire.record, isResend, timeline])
        if (no === null) return ok(task)
        const reason = no as RefusalReason
        return await noticed(refuse(reason), reason)
      } catch (error) {
        return refusalOf(error)
      }
    },
    async registerGrant(grant) {
      const wire = grantWire(grant)
      if ('ok' in wire) return wire
      try {
        const no = await issue(sql.registerGrant, (isResend) => [wire.facts, wire.record, isResend, skew, timeline])
        if (no === null) return ok(grant)
        const { reason, limit } = no as { readonly reason: RefusalReason; readonly limit?: string }
        const detail = limit === undefined ? undefined : `Limit ${limit} does not allow this grant`
        return await noticed(refuse(reason, detail), reason)
      } catch (error) {
        return refusalOf(error)
      }
    },
    async redeem(request) {
      const item = itemOf(request, newSecret())
      if ('ok' in item) return item as RedeemAnswer
      try {
        const answer = await redeems.add(item)
        return await noticed(answer, answer.ok ? undefined : answer.reason)
      } catch (error) {
        return refusalOf(error)
      }
    },
    async settle(reservation, outcome: Outcome) {
      const use = parseReservation(reservation)
      if (use === undefined) return
      try {
        await settles.add({ seq: use.seq, secret: use.secret, ...outcomesOf(outcome) })
      } catch (error) {
        throw asFault(error, 'PostgreSQL did not take an outcome')
      }
    },
    async giveBack(reservation) {
      const use = parseReservation(reservation)
      if (use === undefined) return false
      return (await one(sql.giveBack, [use.seq, use.secret, newSecret(), timeline])) === true
    },
    async task(txn) {
      const json = isKeepable(txn) ? await one(sql.task, [txn]) : undefined
      return json === undefined ? undefined : taskOf(json)
    },
    async grant(jti) {
      const json = isKeepable(jti) ? await one(sql.grant, [jti]) : undefined
      return json === undefined ? undefined : grantOf(json)
    },
    async noteRefusal(txn) {
      if (isKeepable(txn)) await one(sql.noteRefusal, [txn], false)
    },
    async endTask(txn, how, reason) {
      if (!isKeepable(txn)) return undefined
      const words = reason === undefined ? null : keptWords(reason)
      const json = await one(sql.endTask, [txn, how, words, skew, timeline], false)
      if (json === undefined) return undefined
      const effect = effectOf(json)
      return told(effect, effect.grants.length > 0)
    },
    async revoke(target, reason, { dryRun = false } = {}) {
      const name = targetName(target)
      const stop = target.kind === 'grant' || target.kind === 'task' ? null : name
      const json = keepableJson(target)
      if (json === undefined) return { tasks: [], grants: [] }
      const effect = effectOf(await one(sql.revoke, [json, stop, keptWords(reason), dryRun, skew, timeline], false))
      return told(effect, !dryRun && (stop !== null || effect.grants.length > 0))
    },
    async resume(target, reason) {
      const json = keepableJson(target)
      if (json === undefined || target.kind === 'grant' || target.kind === 'task') return false
      const isLifted = (await one(sql.resume, [json, targetName(target), keptWords(reason), skew], false)) === true
      return told(isLifted, isLifted)
    },
    reserveStatus: async ({ name, until }, size) => Number(await one(sql.reserveStatus, [name, toUs(until), size])),
    async revocations({ after, limit }) {
      if (after !== undefined && !isKeepable(after)) return { state: 'gone' }
      const read = logOf(await one(sql.readLog, [after ?? null, limit, timeline]), maxSkewSeconds)
      // A place names its life: whoever reads only must notice another one too.
      if (read.state === 'read') incarnation = read.cursor.slice(0, read.cursor.lastIndexOf('.'))
      return read
    },
    watch: (wake) => wakes.watch(wake),
    async use(reservation) {
      const use = parseReservation(reservation)
      const json = use && (await one(sql.use, [use.seq, use.secret]))
      return json === undefined ? undefined : useStateOf(json)
    },
    // Not resent: what it took out and could not say comes out again.
    sweep: async () => sweptOf(await one(sql.sweep, [SWEPT_AT_ONCE], false)),
    async acknowledge(receipt) {
      const seqs = seqsIn(receipt)
      if (seqs.length > 0) await one(sql.acknowledge, [JSON.stringify(seqs)])
    },
    async markOnce(name, until) {
      if (!isKeepable(name) || !Number.isSafeInteger(toUs(until))) return 'seen'
      try {
        return (await server.one(sql.markOnce, [name, toUs(until), skew], { resend: false })) === 'first'
          ? 'first'
          : 'seen'
      } catch (error) {
        if (error instanceof DatabaseFull) return 'full'
        throw asFault(error, 'PostgreSQL did not take a mark')
      }
    },
    async bindKey(assertion, jkt, { maxKeys, until }) {
      if (!isKeepable(assertion) || !isKeepable(jkt)) return refuse('request-malformed')
      if (!Number.isSafeInteger(toUs(until))) return refuse('token-expired')
      const most = maxKeys > 0 ? Math.min(Math.floor(maxKeys), Number.MAX_SAFE_INTEGER) : 0
      try {
        const answer = await server.one(sql.bindKey, [assertion, jkt, most, toUs(until), skew], { resend: true })
        const { reason, keys } = answer as { readonly reason?: RefusalReason; readonly keys: number }
        return reason === undefined ? ok({ keys }) : refuse(reason)
      } catch (error) {
        return refusalOf(error)
      }
    },
    sizes: async () => (await one(sql.sizes, [])) as JsonObject,
  }
}

/** No room is an answer; everything else that failed is thrown. */
function refusalOf(error: unknown): Extract<Result<never, RefusalReason>, { ok: false }> {
  if (error instanceof DatabaseFull) return refuse('ledger-full')
  throw error instanceof HallpassError ? error : asFault(error, 'PostgreSQL did not take the operation')
}
