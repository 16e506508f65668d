import type { AuditEvent, TrailLine } from './event.ts'

/** One task as the trail tells it. */
export interface TaskStory {
  readonly txn: string
  readonly agent?: string
  readonly owner?: string
  readonly purpose?: string
  readonly note?: string
  /** NumericDate; absent when the trail starts after it. */
  readonly openedAt?: number
  readonly endedAt?: number
  /** How it ended, in the word of its `task.ended` event. */
  readonly end?: string
  readonly grants: number
  readonly uses: number
  readonly refusals: number
  readonly lines: readonly TrailLine[]
}

const count = (lines: readonly TrailLine[], fits: (event: AuditEvent) => boolean): number => lines.filter(fits).length

function story(txn: string, lines: readonly TrailLine[]): TaskStory {
  const opened = lines.find((line) => line.type === 'task.opened')
  const ended = lines.find((line) => line.type === 'task.ended')
  const first = (name: 'client_id' | 'owner' | 'purpose' | 'note'): string | undefined =>
    opened?.[name] ?? lines.find((line) => line[name] !== undefined)?.[name]
  const [agent, owner, purpose, note] = [first('client_id'), first('owner'), first('purpose'), opened?.note]
  return {
    txn,
    ...(agent !== undefined && { agent }),
    ...(owner !== undefined && { owner }),
    ...(purpose !== undefined && { purpose }),
    ...(note !== undefined && { note }),
    ...(opened && { openedAt: opened.time }),
    ...(ended && { endedAt: ended.time }),
    ...(ended?.reason !== undefined && { end: ended.reason }),
    grants: count(lines, (event) => event.type === 'grant.issued'),
    uses: count(lines, (event) => event.type === 'use.started'),
    refusals: count(lines, (event) => event.type.endsWith('.refused')),
    lines,
  }
}

/**
 * The tasks of a trail in the order they first appear, each with its lines in chain order. A line that was merged twice
 * (same source and id) counts once.
 */
export function tasksOf(lines: Iterable<TrailLine>): readonly TaskStory[] {
  const tasks = new Map<string, TrailLine[]>()
  const seen = new Set<string>()
  for (const line of lines) {
    const key = JSON.stringify([line.source, line.id])
    if (line.txn === undefined || seen.has(key)) continue
    seen.add(key)
    const known = tasks.get(line.txn)
    if (known) known.push(line)
    else tasks.set(line.txn, [line])
  }
  return [...tasks].map(([txn, own]) => story(txn, own))
}
