import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { HallpassError } from '../fault.ts'
import type { ChainHead } from './chain.ts'
import { syncFolder } from './spool-segments.node.ts'
import { systemCode } from './system-code.node.ts'

/** How far a spool was acknowledged: everything up to `acknowledged` is kept elsewhere. */
export interface SpoolCursor {
  /** Name of the spool's chain. */
  readonly chain: string
  readonly acknowledged: ChainHead
}

const unreadable = (path: string, why: string): HallpassError =>
  new HallpassError(
    'trail-invalid',
    `The cursor ${path} cannot be read: ${why}. Without it nobody knows what was delivered: keep the folder as evidence ` +
      'and give the spool a new one',
  )

/**
 * Reads a cursor; undefined where there is none yet.
 * @throws HallpassError `trail-invalid` for one that is damaged.
 */
export function readCursor(path: string): SpoolCursor | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw unreadable(path, `the system answered ${systemCode(error)}`)
  }
  try {
    const { chain, acknowledged } = JSON.parse(text) as SpoolCursor
    const { seq, hash } = acknowledged
    if (typeof chain === 'string' && Number.isSafeInteger(seq) && typeof hash === 'string')
      return { chain, acknowledged: { seq, hash } }
  } catch {
    // Said below.
  }
  throw unreadable(path, 'it is not what a spool writes')
}

const NEXT = '.next'

/** Writes the first cursor of a spool, before anything else is in it. */
export function createCursor(path: string, cursor: SpoolCursor): void {
  const file = openSync(`${path}${NEXT}`, 'w', 0o600)
  try {
    writeSync(file, JSON.stringify(cursor))
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(`${path}${NEXT}`, path)
  syncFolder(dirname(path))
}

/** Moves the cursor: whole before it takes the old one's place, so a crash leaves one of the two. */
export async function moveCursor(path: string, cursor: SpoolCursor): Promise<void> {
  const file = await open(`${path}${NEXT}`, 'w', 0o600)
  try {
    await file.writeFile(JSON.stringify(cursor))
    await file.datasync()
  } finally {
    await file.close()
  }
  await rename(`${path}${NEXT}`, path)
}
