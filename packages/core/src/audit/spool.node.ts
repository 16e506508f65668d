import { HallpassError } from '../fault.ts'
import type { MaybePromise } from '../result.ts'
import { isAftermath } from './aftermath.ts'
import type { BatchWriter } from './batch-writer.node.ts'
import { createBatchWriter } from './batch-writer.node.ts'
import type { ChainHead } from './chain.ts'
import { createChain } from './chain.ts'
import type { AuditEvent, TrailLine } from './event.ts'
import { openDisk } from './file-disk.node.ts'
import { openSpoolFolder } from './open-spool.node.ts'
import { moveCursor } from './spool-cursor.node.ts'
import { readSegment } from './spool-reader.node.ts'
import type { Segment } from './spool-segments.node.ts'
import { removeSegment, segmentAt, sizeOf, syncFolder } from './spool-segments.node.ts'
import { openTail } from './trail-tail.node.ts'

export interface SpoolOptions {
  /** A folder of its own on a local disk; made with mode 0700 when it is missing. */
  readonly path: string
  /** Bytes it may take; then events are refused. Aftermath may take a quarter more. Default 256 MiB. */
  readonly maxBytes?: number
  /** Bytes after which a new file is begun; a file is deleted when all of it is acknowledged. Default 4 MiB. */
  readonly segmentBytes?: number
  /** `each` (default): append resolves when the line is on disk. `grouped`: it returns at once, on disk within 10 ms. */
  readonly durable?: 'each' | 'grouped'
  /** Told when lines got to the disk. Must not throw. */
  readonly onWritten?: () => void
}

/** Lines on their way to somewhere else, chained and on disk until they are acknowledged there. */
export interface Spool {
  /** Names its chain: the same for as long as the folder lives. */
  readonly chain: string
  append(event: AuditEvent): MaybePromise<void>
  flush(): Promise<void>
  /** The oldest lines on disk that are not acknowledged, in order; the same again until they are. One call at a time. */
  next(limit: { readonly lines: number; readonly chars: number }): Promise<readonly TrailLine[]>
  /** Marks what `next` gave as kept elsewhere. Rejects when the cursor cannot be written: then they come again. */
  acknowledge(): Promise<void>
  state(): SpoolState
  close(): Promise<void>
}

export interface SpoolState {
  /** Events not acknowledged yet. */
  readonly waiting: number
  readonly bytes: number
  readonly full: boolean
  /** Lines that were altered on disk; their files are kept as `.damaged`. */
  readonly damaged: number
  readonly acknowledged: ChainHead
}

interface Part {
  readonly segment: Segment
  readonly writer: BatchWriter | undefined
  /** Bytes pushed or found. */
  size: number
  damaged: number
  close(): void
}

const MIB = 1024 * 1024
const MAX_WAITING = 10_000
const AFTERMATH_ROOM = 1.25

function bytesOption(value: number, name: string, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value
  throw new HallpassError('configuration-invalid', `A spool's ${name} must be a whole number of ${least} or more`)
}

/**
 * Opens a spool: a chained trail in files that keeps what another process has not acknowledged yet, over kill and restart.
 *
 * Full, or with a disk that does not write, `append` throws HallpassError `audit-unavailable`. A line that is not
 * acknowledged is never deleted.
 * @throws HallpassError `audit-unavailable`, `trail-invalid` or `configuration-invalid`.
 */
export function openSpool(options: SpoolOptions): Spool {
  const { path: folder, durable = 'each', onWritten } = options
  if (typeof folder !== 'string' || folder === '')
    throw new HallpassError('configuration-invalid', 'A spool takes the path of a folder of its own')
  const segmentBytes = bytesOption(options.segmentBytes ?? 4 * MIB, 'segmentBytes', 1024)
  const maxBytes = bytesOption(options.maxBytes ?? 256 * MIB, 'maxBytes', segmentBytes)
  if (durable !== 'each' && durable !== 'grouped')
    throw new HallpassError('configuration-invalid', "A spool's durable is 'each' or 'grouped'")
  const opened = openSpoolFolder(folder)
  const { lock, cursorPath, tail } = opened
  const { chain: name } = opened.cursor
  const chain = createChain(tail.head)
  let { acknowledged } = opened.cursor

  const partFor = (segment: Segment, size: number, before?: BatchWriter): Part => {
    const disk = openDisk(segment.path, lock)
    const inOrder = {
      ...disk,
      // A file begun while the one before still waits for the disk must not have the later lines first.
      write: async (bytes: Uint8Array) => {
        await before?.durable()
        await disk.write(bytes)
      },
    }
    const written = onWritten && { onWritten }
    const writer = createBatchWriter({
      disk: inOrder,
      path: segment.path,
      size,
      gatherMs: 10,
      retryMs: 1000,
      ...written,
    })
    const close = (): void => {
      writer.stop()
      disk.close()
    }
    return { segment, writer, size, damaged: 0, close }
  }

  const parts: Part[] = opened.older.map((segment) => ({
    segment,
    writer: undefined,
    size: sizeOf(segment),
    damaged: 0,
    close: () => {},
  }))
  let active = partFor(opened.active, tail.size)
  let writer = active.writer as BatchWriter
  parts.push(active)
  let bytes = parts.reduce((sum, { size }) => sum + size, 0)
  let rotateAt = segmentBytes
  /** Where reading stands in the oldest part, and what was read and waits for its acknowledgement. */
  let offset = 0
  let read: { readonly bytes: number; readonly damaged: number; readonly head: ChainHead } | undefined
  let damaged = 0
  let closed: Promise<void> | undefined

  const rotate = (): void => {
    const segment = segmentAt(folder, chain.head.seq + 1)
    try {
      openTail(segment.path, { begin: chain.head })
      syncFolder(folder)
      active = partFor(segment, 0, writer)
      writer = active.writer as BatchWriter
      parts.push(active)
      rotateAt = segmentBytes
    } catch {
      // No room for another file: this one goes on, and what really has no room is refused by the writer.
      rotateAt += segmentBytes
    }
  }

  const room = (event: AuditEvent): void => {
    if (closed) throw new HallpassError('audit-unavailable', `The spool ${folder} is closed`)
    const aftermath = isAftermath(event.type)
    if (writer.failure && !aftermath) throw writer.failure
    if (bytes >= (aftermath ? maxBytes * AFTERMATH_ROOM : maxBytes)) {
      throw new HallpassError(
        'audit-unavailable',
        `The spool ${folder} has its ${maxBytes} bytes of undelivered events; see that the broker can be reached, or raise maxBytes`,
      )
    }
    if (writer.waiting >= (aftermath ? 2 * MAX_WAITING : MAX_WAITING))
      throw new HallpassError('audit-unavailable', `The spool ${folder} has too many events waiting for the disk`)
  }

  /** Done with the oldest part: everything in it is acknowledged, or damaged and kept aside. */
  const dropOldest = (): void => {
    const [part] = parts.splice(0, 1)
    if (part === undefined) return
    part.close()
    removeSegment(part.segment, part.damaged > 0)
    bytes -= part.size
    offset = 0
  }
  const isRead = (part: Part): boolean => part !== active && (part.writer?.waiting ?? 0) === 0 && offset >= part.size

  return {
    chain: name,
    append(event) {
      room(event)
      if (active.size >= rotateAt) rotate()
      const text = chain.next(event)
      const length = Buffer.byteLength(text) + 1
      active.size += length
      bytes += length
      writer.push(text)
      if (durable === 'grouped' || writer.failure) return undefined
      const recorded = writer.durable()
      return isAftermath(event.type) ? recorded.catch(() => {}) : recorded
    },
    flush: () => writer.durable(),
    async next(limit) {
      read = undefined
      for (let [part] = parts; part !== undefined; [part] = parts) {
        if (closed) return []
        if (isRead(part)) {
          dropOldest()
          continue
        }
        const until = part.writer?.size ?? part.size
        const page = await readSegment(part.segment, { from: offset, until, after: acknowledged }, limit)
        if (page.bytes === 0 && until < part.size) return []
        if (page.lines.length > 0) {
          const { seq, hash } = page.lines.at(-1) as TrailLine
          read = { bytes: page.bytes, damaged: page.damaged, head: { seq, hash } }
          return page.lines
        }
        part.damaged += page.damaged
        damaged += page.damaged
        offset += page.bytes
        if (page.bytes === 0 && part === active) return []
        // The end of an old file that has no whole line any more.
        if (page.bytes === 0) offset = part.size
      }
      return []
    },
    async acknowledge() {
      const [part] = parts
      if (read === undefined || part === undefined) return
      await moveCursor(cursorPath, { chain: name, acknowledged: read.head })
      acknowledged = read.head
      offset += read.bytes
      part.damaged += read.damaged
      damaged += read.damaged
      read = undefined
      if (isRead(part)) dropOldest()
    },
    state: () => ({
      waiting: chain.head.seq - acknowledged.seq,
      bytes,
      full: bytes >= maxBytes,
      damaged,
      acknowledged,
    }),
    close() {
      closed ??= writer.durable().finally(() => {
        for (const part of parts) part.close()
        lock.release()
      })
      return closed
    },
  }
}
