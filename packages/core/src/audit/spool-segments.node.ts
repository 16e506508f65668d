import {
  closeSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { join } from 'node:path'

/** One file of a spool. */
export interface Segment {
  /** Number of its first line. */
  readonly first: number
  readonly path: string
}

const NAME = /^(\d{16})\.jsonl$/

/** The file that starts with this line. */
export const segmentAt = (folder: string, first: number): Segment => ({
  first,
  path: join(folder, `${String(first).padStart(16, '0')}.jsonl`),
})

/** The files of a spool, oldest first. */
export function listSegments(folder: string): Segment[] {
  const firsts = readdirSync(folder).flatMap((name) => {
    const first = NAME.exec(name)?.[1]
    return first === undefined ? [] : [Number(first)]
  })
  return firsts.toSorted((a, b) => a - b).map((first) => segmentAt(folder, first))
}

export const sizeOf = ({ path }: Segment): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0

/** Deletes a file whose every line is kept elsewhere; one with damaged lines stays beside, as evidence. */
export function removeSegment({ path }: Segment, isDamaged: boolean): void {
  if (isDamaged) renameSync(path, `${path}.damaged`)
  else rmSync(path, { force: true })
}

/** Makes the names of new files as durable as what is in them. */
export function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** Whether a file has a line that is not torn. */
export const hasLine = ({ path }: Segment): boolean => readFileSync(path).includes(10)

/** The last whole line of a file that is not written any more. */
export function lastLineOf({ path }: Segment, maxBytes: number): string | undefined {
  const fd = openSync(path, 'r')
  try {
    const { size } = fstatSync(fd)
    const length = Math.min(size, maxBytes)
    const bytes = Buffer.alloc(length)
    const read = readSync(fd, bytes, 0, length, size - length)
    const end = bytes.lastIndexOf(10, read)
    if (end <= 0) return undefined
    return bytes.toString('utf8', bytes.lastIndexOf(10, end - 1) + 1, end)
  } finally {
    closeSync(fd)
  }
}
