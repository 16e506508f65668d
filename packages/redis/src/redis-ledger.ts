import type { JsonObject, Ledger, RefusalReason, Result, StatusSeries } from '@hallpass/core'
import { ok, randomId, reservationIds, sha256Base64url } from '@hallpass/core'
import { listOf, refusalOf, textOf } from './ops/answers.ts'
import { giveBack, settle } from './ops/end-use.ts'
import { endTask } from './ops/kill.ts'
import { noteRefusal, openTask, readTask } from './ops/open-task.ts'
import { redeem } from './ops/redeem.ts'
import { readGrant, registerGrant } from './ops/register-grant.ts'
import { revocations } from './ops/revocations.ts'
import { resume, revoke } from './ops/revoke.ts'
import { acknowledge, sweep } from './ops/sweep.ts'
import { msOf, secondsOf } from './ops/times.ts'
import { readUse } from './ops/use-record.ts'
import type { RedisLedgerOptions } from './redis-ledger-options.ts'
import { ledgerSettings } from './redis-ledger-options.ts'
import { Shards } from './shard/shards.ts'
import { unavailable } from './shard/trouble.ts'

/**
 * A ledger in Redis 7 or Valkey, single or cluster, exact for every replica that shares it. One use is one script call
 * in one slot; only a grant that is limited per agent asks the agent's slot before. It survives what the server's
 * persistence keeps, and says so: after a restart or failover, tasks and grants from before are refused. Nothing is
 * evicted: a full server refuses. The client stays yours.
 *
 * Resolves once every slot answered. Throws HallpassError `configuration-invalid` for options out of range, a server
 * that evicts, another number of shards or a lower epoch than the data has; `ledger-unavailable` when it cannot be asked.
 */
export async function redisLedger(options: RedisLedgerOptions): Promise<Ledger> {
  const settings = ledgerSettings(options)
  const shards = new Shards(settings)
  await shards.refresh()
  const newSecret = reservationIds()
  return {
    exactFor: 'all-replicas',
    get incarnation() {
      return shards.incarnation
    },
    now: () => now(shards),
    openTask: (task, bounds) => openTask(shards, task, bounds),
    task: (txn) => readTask(shards, txn),
    registerGrant: (grant) => registerGrant(shards, grant),
    grant: (jti) => readGrant(shards, jti),
    noteRefusal: (txn) => noteRefusal(shards, txn),
    redeem: (request) => redeem(shards, request, newSecret().slice('res_'.length)),
    settle: (reservation, outcome) => settle(shards, reservation, outcome),
    giveBack: (reservation) => giveBack(shards, reservation, randomId('')),
    endTask: (txn, how, reason) => endTask(shards, txn, { how, reason }),
    revoke: (target, reason, { dryRun = false } = {}) => revoke(shards, target, { reason, dryRun }),
    resume: (target, reason) => resume(shards, target, reason),
    revocations: (from) => revocations(shards, from),
    watch: (wake) => settings.connection.subscribe(`${settings.prefix}:wake`, wake),
    reserveStatus: (series, size) => reserveStatus(shards, series, size),
    use: (reservation) => readUse(shards, reservation),
    sweep: () => sweep(shards),
    acknowledge: (receipt) => acknowledge(shards, receipt),
    markOnce: (key, until) => markOnce(shards, key, until),
    bindKey: (assertion, jkt, bounds) => bindKey(shards, { assertion, jkt }, bounds),
    sizes: () => sizes(shards),
  }
}

async function now({ first }: Shards): Promise<number> {
  return secondsOf(textOf(await first.run('readClock', [first.meta], [])))
}

async function reserveStatus(shards: Shards, { name, until }: StatusSeries, size: number): Promise<number> {
  const shard = shards.of(name)
  const answer = await shard.run(
    'reserveStatus',
    [shard.meta, shard.key(`status:${name}`)],
    [String(size), String(msOf(until))],
  )
  if (typeof answer !== 'number') throw unavailable('has no memory left')
  return answer
}

async function markOnce(shards: Shards, name: string, until: number): Promise<'first' | 'seen' | 'full'> {
  if (!Number.isFinite(until)) return 'seen'
  const shard = shards.of(name)
  const args = [String(msOf(until)), randomId('')]
  const answer = await shard.run('markOnce', [shard.meta, shard.key(`once:${sha256Base64url(name)}`)], args)
  if (answer === 'N ledger-full') return 'full'
  return answer === 'first' ? 'first' : 'seen'
}

async function bindKey(
  shards: Shards,
  { assertion, jkt }: { readonly assertion: string; readonly jkt: string },
  { maxKeys, until }: { readonly maxKeys: number; readonly until: number },
): Promise<Result<{ readonly keys: number }, RefusalReason>> {
  const shard = shards.of(assertion)
  const args = [String(Number.isFinite(until) ? msOf(until) : 0), jkt, String(maxKeys)]
  const keys = [shard.meta, shard.key(`bind:${sha256Base64url(assertion)}`)]
  const answer = textOf(await shard.run('bindKey', keys, args))
  return answer.startsWith('Y ') ? ok({ keys: Number(answer.slice(2)) }) : refusalOf(answer)
}

async function sizes(shards: Shards): Promise<JsonObject> {
  const sums = [0, 0, 0, 0]
  let stops = 0
  const counted = shards.all.map(async (shard) => {
    const keys = ['tasks', 'grants', 'uses', 'log'].map((name) => shard.key(name))
    return listOf(await shard.run('sizes', [shard.meta, ...keys], [])).map(Number)
  })
  for (const counts of await Promise.all(counted)) {
    for (const index of sums.keys()) sums[index] = (sums[index] ?? 0) + (counts[index] ?? 0)
    stops = Math.max(stops, counts[4] ?? 0)
  }
  const [tasks = 0, grants = 0, running = 0, logged = 0] = sums
  return { tasks, grants, running, logged, stops, shards: shards.all.length }
}
