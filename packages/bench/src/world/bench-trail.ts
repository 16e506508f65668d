import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AuditEvent, AuditSink } from '@hallpass/core'
import { fileTrail } from '@hallpass/core/file-trail'

/** The audit sink of a suite. It always takes every event; what it does with them is part of what a row measures. */
export interface BenchTrail extends AuditSink {
  readonly count: number
  /** From now on each event is hash-chained into a file before `append` returns, or only taken. */
  chain(isOn: boolean): void
}

const KEPT = 64

/** One sink for all rows, so that what calls it is compiled for one sink, as in a server. */
export function openBenchTrail(): BenchTrail {
  const folder = mkdtempSync(join(tmpdir(), 'hallpass-bench-'))
  const file = fileTrail({ path: join(folder, 'trail.jsonl') })
  const newest: AuditEvent[] = []
  let count = 0
  let isChained = false
  return {
    append(event) {
      count += 1
      if (isChained) return file.append(event)
      newest[count % KEPT] = event
      return undefined
    },
    flush: () => file.flush(),
    async close() {
      await file.close()
      rmSync(folder, { recursive: true, force: true })
    },
    get count() {
      return count
    },
    chain: (isOn) => void (isChained = isOn),
  }
}
