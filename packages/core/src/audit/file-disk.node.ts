import { closeSync, constants, fdatasync, fstatSync, ftruncate, openSync, statSync, write } from 'node:fs'
import { promisify } from 'node:util'
import type { TrailDisk } from './batch-writer.node.ts'
import { ForeignChange } from './batch-writer.node.ts'
import type { WriterLock } from './writer-lock.node.ts'

const [writeSome, sync, cut] = [promisify(write), promisify(fdatasync), promisify(ftruncate)]

// Where the system has it, each write is its own fdatasync: one trip to a worker thread instead of two.
const SYNCED_WRITES: number | undefined = constants.O_DSYNC

/** Opens a trail's file for appending only. */
export function openDisk(path: string, lock: WriterLock): TrailDisk & { close(): void } {
  const fd = openSync(path, constants.O_WRONLY | constants.O_APPEND | (SYNCED_WRITES ?? 0))
  const { ino } = fstatSync(fd)
  const inodeAtPath = (): number | undefined => statSync(path, { throwIfNoEntry: false })?.ino
  return {
    checkOwn(size) {
      if (!lock.held()) throw new ForeignChange('another process took its lock')
      if (inodeAtPath() !== ino) throw new ForeignChange('the file was moved or deleted while it was being written')
      if (fstatSync(fd).size !== size) throw new ForeignChange('someone else wrote to the file or cut it')
    },
    async write(bytes) {
      let done = 0
      while (done < bytes.length) done += (await writeSome(fd, bytes, done, bytes.length - done)).bytesWritten
    },
    sync: async () => {
      if (SYNCED_WRITES === undefined) await sync(fd)
    },
    truncate: (size) => cut(fd, size),
    close: () => closeSync(fd),
  }
}
