import { closeSync, existsSync, openSync, readFileSync, readdirSync, writeSync } from 'node:fs'
import { join } from 'node:path'

export interface RecordFile<T> {
  /** Back when the kernel has it: no kill of this process takes it away. */
  add(record: T): void
  close(): void
}

/** An append-only file of one process: each record is one write to a file opened with O_APPEND. */
export function recordFile<T>(path: string): RecordFile<T> {
  const file = openSync(path, 'a', 0o600)
  return {
    add: (record) => void writeSync(file, `${JSON.stringify(record)}\n`),
    close: () => closeSync(file),
  }
}

/** The records of every file in a folder whose name begins so. A line that a kill tore is left out. */
export function readRecords<T>(folder: string, prefix: string): T[] {
  if (!existsSync(folder)) return []
  const names = readdirSync(folder).filter((name) => name.startsWith(prefix))
  return names.flatMap((name) => {
    const lines = readFileSync(join(folder, name), 'utf8').split('\n').slice(0, -1)
    return lines.flatMap((line) => (line.endsWith('}') ? [JSON.parse(line) as T] : []))
  })
}
