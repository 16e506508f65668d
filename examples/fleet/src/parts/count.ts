import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { verifyTrail, type TrailLine } from '@hallpass/core'
import { readTrail } from '@hallpass/core/file-trail'

export interface Counted {
  /** Handlers that ran, by the API's own notes: event of the use, and its task. */
  readonly handled: readonly {
    readonly event: string
    readonly txn: string
    readonly agent: string
    readonly at: number
  }[]
  /** Uses in the trails, with those whose replica died between the ledger's yes and its own record. */
  readonly uses: ReadonlySet<string>
  readonly opened: ReadonlySet<string>
  /** Trails whose chain does not hold. */
  readonly broken: readonly string[]
}

/** Reads what was kept: the APIs' own notes on the one hand, all trails on the other. */
export async function count(directory: string): Promise<Counted> {
  const files = readdirSync(directory)
  const handled = files
    .filter((name) => name.startsWith('handled-'))
    .flatMap((name) => readFileSync(join(directory, name), 'utf8').split('\n'))
    .filter((line) => line !== '')
    .map((line) => {
      const [event = '', txn = '', agent = '', at = '0'] = line.split(' ')
      return { event, txn, agent, at: Number(at) }
    })
  const uses = new Set<string>()
  const opened = new Set<string>()
  const broken: string[] = []
  for (const name of files.filter((file) => file.endsWith('.jsonl'))) {
    const lines: string[] = []
    for await (const text of readTrail(join(directory, name))) {
      lines.push(text)
      const line = JSON.parse(text) as TrailLine
      if (line.type === 'use.started') uses.add(line.id)
      if (line.type === 'use.unknown' && line.follows !== undefined) uses.add(line.follows)
      if (line.type === 'task.opened' && line.txn !== undefined) opened.add(line.txn)
    }
    if (!(await verifyTrail(lines)).ok) broken.push(name)
  }
  return { handled, uses, opened, broken }
}
