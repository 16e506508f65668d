import { mkdirSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { randomId } from '#crypto'
import { HallpassError } from '../fault.ts'
import { isAftermath } from './aftermath.ts'
import { createBatchWriter } from './batch-writer.node.ts'
import type { Chain, ChainHead } from './chain.ts'
import { createChain } from './chain.ts'
import type { CheckpointOptions } from './checkpointer.ts'
import { createCheckpointer } from './checkpointer.ts'
import type { AuditEvent, Trail, TrailLine } from './event.ts'
import type { EventFilter } from './event-filter.ts'
import { selectLines } from './event-filter.ts'
import { openDisk } from './file-disk.node.ts'
import { findRecent } from './find-recent.node.ts'
import { readTrail } from './read-trail.node.ts'
import { openTail } from './trail-tail.node.ts'
import { takeWriterLock } from './writer-lock.node.ts'

export interface FileTrailOptions {
  /** A JSON Lines file of its own, on a local disk; made with mode 0600, its folder too when it is missing. */
  readonly path: string
  /**
   * `grouped`: append returns at once and the line is on disk within about 10 ms. `each`: append resolves when the line
   * is on disk; those who wait together share one sync. Default `grouped`.
   */
  readonly durable?: 'grouped' | 'each'
  /** Signs the head of the chain from time to time; without it the trail proves little against who can write the file. */
  readonly checkpoint?: CheckpointOptions
  /** Events that may wait for the disk before `append` refuses; default 10 000. Aftermath may take as many again. */
  readonly maxBufferedEvents?: number
  /** `source` of the trail's own events and checkpoints; default `trail:<file name>`. */
  readonly source?: string
  /** NumericDate seconds for the trail's own events. */
  readonly clock?: () => number
}

/** A trail in a file. */
export interface FileTrail extends Trail {
  readonly path: string
  /** The newest line, on disk or on its way there. */
  readonly head: ChainHead
  /** Lines at the end of the file as it was opened, checked: enough to tell an event merger what it knows. */
  readonly tail: readonly TrailLine[]
}

/** More than this at a time are not remembered, and might be recorded twice. */
const MAX_UNHEARD = 10_000
const GATHER_MS = 10
const RETRY_MS = 1000

interface Checked extends Required<Omit<FileTrailOptions, 'checkpoint'>> {
  readonly checkpoint: CheckpointOptions | undefined
}

function check(options: FileTrailOptions): Checked {
  const { durable = 'grouped', maxBufferedEvents = 10_000, checkpoint } = options
  if (typeof options.path !== 'string' || options.path === '') {
    throw new HallpassError('configuration-invalid', 'fileTrail({ path }) takes the path of a file')
  }
  if (durable !== 'grouped' && durable !== 'each') {
    throw new HallpassError('configuration-invalid', "fileTrail({ durable }) takes 'grouped' or 'each'")
  }
  if (!Number.isSafeInteger(maxBufferedEvents) || maxBufferedEvents < 1) {
    throw new HallpassError(
      'configuration-invalid',
      'fileTrail({ maxBufferedEvents }) takes a whole number of 1 or more',
    )
  }
  const path = resolve(options.path)
  const { source = `trail:${basename(path)}`, clock = () => Date.now() / 1000 } = options
  return { path, durable, checkpoint: checkpoint && { ...checkpoint }, maxBufferedEvents, source, clock }
}

/** Lock, check and recover, open: in this order, and the lock is given back when the rest fails. */
function open({ path, source, clock }: Checked) {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const lock = takeWriterLock(path)
  try {
    const recovered = (bytes: number, digest: string): AuditEvent => ({
      id: randomId('ev_'),
      type: 'trail.recovered',
      time: clock(),
      source,
      detail: `${bytes} bytes of a line that was never finished`,
      data: { bytes, digest: `sha-256:${digest}` },
    })
    const tail = openTail(path, { recovered })
    return { lock, tail, disk: openDisk(path, lock) }
  } catch (error) {
    lock.release()
    throw error
  }
}

/**
 * Opens an append-only trail in a file and goes on with the chain that is there.
 *
 * Once a write fails, `append` throws HallpassError `audit-unavailable` and `flush` rejects with it, so that what cannot
 * be recorded is not allowed. Aftermath (ends, revocations, outcomes) is kept in memory meanwhile, up to twice
 * `maxBufferedEvents`. Writing is tried again every second, and at every `flush`; the first success ends the refusals.
 *
 * With `each`, an event whose write failed was refused, and is written all the same once the disk is back: a refusal says
 * that it was not on record then, not that it never will be. Appended again under its id it is recorded once.
 *
 * Checks the last 4 MiB of the file, not all of it: that is what `verifyTrail` does.
 *
 * @throws HallpassError `audit-unavailable` when another process writes this file, `trail-invalid` when its end does not
 * chain, `configuration-invalid` for an option that cannot be.
 */
export function fileTrail(options: FileTrailOptions): FileTrail {
  const checked = check(options)
  const { path, durable, maxBufferedEvents, source, clock } = checked
  const { lock, tail, disk } = open(checked)
  const chain: Chain = createChain(tail.head)
  const writer = createBatchWriter({ disk, path, size: tail.size, gatherMs: GATHER_MS, retryMs: RETRY_MS })
  let closed: Promise<void> | undefined
  /** Ids of events that were refused and are in the writer's hands, or on disk by now. */
  const unheard = new Set<string>()

  const room = (event: AuditEvent): void => {
    if (closed) throw new HallpassError('audit-unavailable', `The trail ${path} is closed`)
    const spool = isAftermath(event.type)
    if (writer.failure && !spool) throw writer.failure
    if (writer.waiting < (spool ? 2 * maxBufferedEvents : maxBufferedEvents)) return
    throw new HallpassError(
      'audit-unavailable',
      `The trail ${path} has ${writer.waiting} events waiting for the disk; use a faster one, or raise maxBufferedEvents`,
    )
  }
  const record = (event: AuditEvent): void => writer.push(chain.next(event))
  const own = { source, now: clock, head: () => chain.head, append: record }
  const checkpointer = checked.checkpoint && createCheckpointer(checked.checkpoint, own)

  const finish = async (): Promise<void> => {
    checkpointer?.stop()
    await checkpointer?.sign()
    try {
      await writer.durable()
    } finally {
      writer.stop()
      disk.close()
      lock.release()
    }
  }

  return {
    path,
    tail: tail.lines,
    get head() {
      return chain.head
    },
    append(event) {
      room(event)
      if (!unheard.delete(event.id)) {
        record(event)
        checkpointer?.appended()
      }
      // What is spooled has happened already: nobody is made to wait for a disk that does not answer.
      if (durable === 'grouped' || writer.failure) return undefined
      const recorded = writer.durable()
      if (isAftermath(event.type)) return recorded.catch(() => {})
      return recorded.catch((error: unknown) => {
        if (unheard.size < MAX_UNHEARD) unheard.add(event.id)
        throw error
      })
    },
    flush: () => writer.durable(),
    close() {
      closed ??= finish()
      return closed
    },
    async holds(events, since) {
      if (!closed) await writer.durable()
      return findRecent(path, events, since)
    },
    async events(filter?: EventFilter) {
      if (!closed) await writer.durable()
      const found: TrailLine[] = []
      for await (const text of readTrail(path)) found.push(...selectLines([text], filter))
      return found
    },
  }
}
