import { randomId } from '#crypto'
import type { JsonObject } from '../json/value.ts'
import { giveBack, readUse, settle } from './end-use.ts'
import type { Ledger } from './ledger.ts'
import { ledgerClock } from './ledger-clock.ts'
import type { MemoryLedgerOptions } from './ledger-options.ts'
import { ledgerBounds } from './ledger-options.ts'
import { LedgerStore } from './ledger-store.ts'
import { openTask } from './open-task.ts'
import { redeem } from './redeem.ts'
import { registerGrant } from './register-grant.ts'
import { endTask, resume, revoke } from './revoke.ts'
import { sweep } from './sweep.ts'

/** Answers at once: every method of the port without its promise. */
export type MemoryLedger = {
  readonly [K in keyof Ledger]: Ledger[K] extends (...args: infer A) => infer R ? (...args: A) => Awaited<R> : Ledger[K]
}

/**
 * A ledger in this process's memory, for a broker and its verifiers in one process, and as a verifier's own store.
 * It survives nothing: a new one refuses the tasks and grants of the old (`incarnation`, and for signed grants the
 * time of its start plus the maximum skew). What it holds is bounded and never evicted: full is refused. An agent's
 * counters stay for as long as their window. In an own store only limits per `grant` count, signed or not.
 * Throws HallpassError `configuration-invalid` unless `exactFor` is named and the bounds are whole numbers in range.
 */
export function memoryLedger(options: MemoryLedgerOptions): MemoryLedger {
  const incarnation = randomId('mem_')
  const store = new LedgerStore(ledgerBounds(options), { clock: ledgerClock(options.clock), incarnation })
  return {
    exactFor: 'one-process',
    incarnation,
    now: () => store.tick(),
    openTask: (task, { maxOpenTasks }) => openTask(store, task, { maxOpenTasks, incarnation }),
    registerGrant: (grant) => registerGrant(store, grant, incarnation),
    redeem: (request) => redeem(store, request),
    settle: (reservation, outcome) => settle(store, reservation, outcome),
    giveBack: (reservation) => giveBack(store, reservation),
    task(txn) {
      const now = store.tick()
      const task = store.tasks.get(txn)
      if (task !== undefined) store.expireIfOver(task, now)
      return task?.state(now)
    },
    grant(jti) {
      const now = store.tick()
      return store.grants.get(jti)?.state(now)
    },
    noteRefusal(txn) {
      const task = store.tasks.get(txn)
      if (task !== undefined) task.refusals += 1
    },
    endTask: (txn, how, reason) => endTask(store, txn, { how, reason }),
    revoke: (target, reason, { dryRun = false } = {}) => revoke(store, target, { reason, dryRun }),
    resume: (target, reason) => resume(store, target, reason),
    reserveStatus: (series, size) => store.statusIndexes.take(series, size, store.tick()),
    revocations: (from) => store.log.read(from, store.tick()),
    watch: (wake) => store.log.watch(wake),
    use: (reservation) => readUse(store, reservation),
    sweep: () => sweep(store),
    acknowledge: (receipt) => store.acknowledge(receipt),
    markOnce: (key, until) => store.once.take(key, until, store.tick()),
    bindKey: (assertion, jkt, bounds) => store.bindings.bind({ assertion, jkt }, bounds, store.tick()),
    sizes: (): JsonObject => store.sizes(),
  }
}
