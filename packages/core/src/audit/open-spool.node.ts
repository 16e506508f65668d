import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { randomId } from '#crypto'
import { HallpassError } from '../fault.ts'
import type { ChainHead } from './chain.ts'
import { GENESIS, MAX_LINE_CHARS, readLine } from './line.ts'
import type { SpoolCursor } from './spool-cursor.node.ts'
import { createCursor, readCursor } from './spool-cursor.node.ts'
import type { Segment } from './spool-segments.node.ts'
import { hasLine, lastLineOf, listSegments, removeSegment, segmentAt } from './spool-segments.node.ts'
import type { Tail } from './trail-tail.node.ts'
import { openTail } from './trail-tail.node.ts'
import type { WriterLock } from './writer-lock.node.ts'
import { takeWriterLock } from './writer-lock.node.ts'

/** A spool's folder as it was found, locked and made ready to go on. */
export interface OpenedSpool {
  readonly lock: WriterLock
  readonly cursorPath: string
  readonly cursor: SpoolCursor
  /** Files that are written no more, oldest first. */
  readonly older: readonly Segment[]
  readonly active: Segment
  readonly tail: Tail
}

const broken = (folder: string, what: string): HallpassError =>
  new HallpassError(
    'trail-invalid',
    `The spool ${folder} does not hold together: ${what}. Keep the folder as evidence and give the spool a new one`,
  )

function firstCursor(path: string, segments: readonly Segment[], folder: string): SpoolCursor {
  if (segments.length > 0) throw broken(folder, 'it has lines and no cursor')
  const cursor: SpoolCursor = { chain: randomId('ch_'), acknowledged: { seq: 0, hash: GENESIS } }
  createCursor(path, cursor)
  return cursor
}

/** The head that the newest file goes on from: the end of the file before it, or what was acknowledged. */
function headBefore(
  newest: Segment,
  previous: Segment | undefined,
  { acknowledged }: SpoolCursor,
): ChainHead | 'unknown' {
  if (previous !== undefined) {
    const line = readLine(lastLineOf(previous, MAX_LINE_CHARS * 3) ?? '')
    return line?.seq === newest.first - 1 ? { seq: line.seq, hash: line.hash } : 'unknown'
  }
  if (newest.first === 1) return { seq: 0, hash: GENESIS }
  return acknowledged.seq === newest.first - 1 ? acknowledged : 'unknown'
}

/**
 * Takes away the newest files that a crash left without a line. A file is begun while lines of the one before still wait for
 * the disk, so the one before may end earlier than the new name says: nobody was told that those lines are on record.
 */
function dropUnbegun(segments: readonly Segment[], cursor: SpoolCursor): Segment[] {
  const [newest, previous] = [segments.at(-1), segments.at(-2)]
  if (newest === undefined || previous === undefined) return [...segments]
  if (headBefore(newest, previous, cursor) !== 'unknown' || hasLine(newest)) return [...segments]
  removeSegment(newest, false)
  return dropUnbegun(segments.slice(0, -1), cursor)
}

/**
 * Opens the folder of a spool. A line torn by a crash is cut off: nobody was told that it is on record.
 * @throws HallpassError `audit-unavailable` when another process has it, `trail-invalid` when it was altered or is older
 * than what was acknowledged, as after restoring a backup.
 */
export function openSpoolFolder(folder: string): OpenedSpool {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const lock = takeWriterLock(join(folder, 'spool'))
  try {
    const cursorPath = join(folder, 'cursor.json')
    const found = listSegments(folder)
    const cursor = readCursor(cursorPath) ?? firstCursor(cursorPath, found, folder)
    const segments = dropUnbegun(found, cursor)
    const active = segments.at(-1) ?? segmentAt(folder, cursor.acknowledged.seq + 1)
    const begin = segments.length === 0 ? cursor.acknowledged : headBefore(active, segments.at(-2), cursor)
    const tail = openTail(active.path, { begin })
    if (begin === 'unknown' && tail.lines.length === 0) throw broken(folder, `${active.path} has nothing to go on from`)
    if (tail.head.seq < cursor.acknowledged.seq) throw broken(folder, 'it ends before what the receiver acknowledged')
    return { lock, cursorPath, cursor, older: segments.slice(0, -1), active, tail }
  } catch (error) {
    lock.release()
    throw error
  }
}
