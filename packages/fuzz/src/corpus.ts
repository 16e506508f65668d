import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { JsonValue } from '@hallpass/core'

/** An input worth keeping, and what was wrong with it when it was found. */
export interface CorpusEntry {
  readonly target: string
  readonly note: string
  readonly input: JsonValue
  /** What has to come out: `both`, `neither` or `stricter`. Whoever keeps a finding adds it once the fault is mended. */
  readonly expect?: 'both' | 'neither' | 'stricter'
}

const folder = new URL('../corpus/', import.meta.url)

/** Everything that was kept, by file name. */
export function readCorpus(): ReadonlyMap<string, CorpusEntry> {
  mkdirSync(folder, { recursive: true })
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'))
  return new Map(
    files.toSorted().map((name) => [name, JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as CorpusEntry]),
  )
}

/** Keeps an entry under a name made of what is in it; returns the name. */
export function keep(entry: CorpusEntry): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([entry.target, entry.input]))
    .digest('hex')
  const name = `${entry.target}-${digest.slice(0, 12)}.json`
  mkdirSync(folder, { recursive: true })
  writeFileSync(new URL(name, folder), `${JSON.stringify(entry, undefined, 2)}\n`)
  return name
}
