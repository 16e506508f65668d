import type { Ledger, MaybePromise } from '@hallpass/core'
import { HallpassError, Watchers, ledgerClock, refuse, reservationIds } from '@hallpass/core'
import { giveBack, settle } from './end-use.ts'
import { FileFull, GroupCommit, unavailable } from './group-commit.ts'
import type { Write } from './life.ts'
import { incarnationOf, readLife, toSeconds } from './life.ts'
import { bindKey, markOnce } from './once.ts'
import { openFile } from './open-file.ts'
import { openTask } from './open-task.ts'
import { acknowledge, useState } from './outbox.ts'
import { grantState, sizes, taskState } from './read-state.ts'
import { redeem } from './redeem.ts'
import { registerGrant } from './register-grant.ts'
import { readLog } from './revocation-log.ts'
import { endTask, revoke } from './revoke.ts'
import type { SqliteFile } from './sqlite-file.ts'
import type { SqliteLedgerOptions } from './sqlite-ledger-options.ts'
import { sqliteBounds } from './sqlite-ledger-options.ts'
import { reserveStatus } from './status-indexes.ts'
import { resume } from './stops.ts'
import { sweep } from './sweep.ts'

export interface SqliteLedger extends Ledger {
  readonly exactFor: 'one-machine'
  /** Resolves when everything asked for so far is answered. The handle stays open: it is the caller's. */
  close(): Promise<void>
}

/**
 * A ledger in an SQLite file on a local disk, exact for every process of the machine that opens the file, and durable:
 * what it answered is on the disk. It brings the schema up to date when it starts. Knows registered grants only.
 *
 * An operation that cannot be had in time throws HallpassError `ledger-unavailable`; with a full disk issue and
 * redeem are refused as `ledger-full`. Throws `configuration-invalid` for a database in memory, one that does not keep
 * `synchronous = FULL`, a newer schema, or an option out of range. Does not see whether the disk is a network's, where
 * SQLite's locks do not hold.
 */
export function sqliteLedger(options: SqliteLedgerOptions): SqliteLedger {
  const bounds = sqliteBounds(options)
  const clock = ledgerClock(options.clock)
  const clockUs = (): number => Math.floor(clock() * 1e6)
  const file = openFile(options.database, clock)
  let incarnation = incarnationOf(readLife(file))
  const watchers = new Watchers()
  const newSecret = reservationIds()
  const writes = new GroupCommit(file, {
    clockUs,
    busyMs: bounds.busySeconds * 1000,
    maxWaiting: bounds.maxWaiting,
    onWrite(write) {
      incarnation = write.incarnation
      if (write.logged) watchers.wake()
    },
  })
  const { maxSkewSeconds } = bounds
  const write = async <T>(work: (write: Write) => T): Promise<T> => writes.run(work).catch(rethrowFull)
  const orFull = async <T>(work: (write: Write) => T) =>
    writes.run(work).catch((error: unknown) => (error instanceof FileFull ? refuse('ledger-full') : rethrow(error)))
  const read = <T>(work: (file: SqliteFile, now: number) => T): T => {
    try {
      const life = readLife(file)
      // Whoever reads only must notice another life too.
      incarnation = incarnationOf(life)
      return work(file, Math.max(clockUs(), life.clock_us))
    } catch (error) {
      if (error instanceof HallpassError) throw error
      throw unavailable('The SQLite file could not be read', error)
    }
  }

  return {
    exactFor: 'one-machine',
    get incarnation() {
      return incarnation
    },
    now: (): number => read((_file, now) => toSeconds(now)),
    openTask: (task, { maxOpenTasks }) =>
      orFull((w) => openTask(w, task, { maxOpenTasks, maxTaskSeconds: bounds.maxTaskSeconds })),
    registerGrant: (grant) => orFull((w) => registerGrant(w, grant, maxSkewSeconds)),
    redeem(request) {
      const secret = newSecret()
      return orFull((w) => redeem(w, request, { bounds, secret }))
    },
    settle: (reservation, outcome) => write((w) => settle(w, reservation, outcome)),
    giveBack: (reservation) => write((w) => giveBack(w, reservation)),
    task: (txn) => read((at, now) => taskState(at, txn, now)),
    grant: (jti) => read((at) => grantState(at, jti)),
    noteRefusal: (txn) =>
      write((w) => void w.file.run('UPDATE hallpass_task SET refusals = refusals + 1 WHERE txn = ?', txn)),
    endTask: (txn, how, reason) => write((w) => endTask(w, txn, { how, reason, maxSkewSeconds })),
    revoke: (target, reason, { dryRun = false } = {}) =>
      write((w) => revoke(w, target, { reason, dryRun, maxSkewSeconds })),
    resume: (target, reason) => write((w) => resume(w, target, { reason, maxSkewSeconds })),
    reserveStatus: (series, size) => write((w) => reserveStatus(w, series, size)),
    revocations: (from) => read((at, now) => readLog(at, from, now)),
    watch: (wake) => watchers.watch(wake),
    use: (reservation) => read((at, now) => useState(at, reservation, now)),
    sweep: () => write(sweep),
    acknowledge: (receipt) => write((w) => acknowledge(w, receipt)),
    markOnce: (name, until): MaybePromise<'first' | 'seen' | 'full'> =>
      writes
        .run((w) => markOnce(w, { name, until }, maxSkewSeconds))
        .catch((error: unknown) => (error instanceof FileFull ? 'full' : rethrow(error))),
    bindKey: (assertion, jkt, { maxKeys, until }) =>
      orFull((w) => bindKey(w, { assertion, jkt }, { maxKeys, until, maxSkewSeconds })),
    sizes: () => read((at) => sizes(at)),
    close: () => writes.settled(),
  }
}

function rethrow(error: unknown): never {
  throw error
}

function rethrowFull(error: unknown): never {
  throw error instanceof FileFull ? unavailable('The SQLite file or its disk is full', error) : error
}
