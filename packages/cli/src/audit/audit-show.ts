import type { TrailLine } from '@hallpass/core'
import {
  REASON_WORDS,
  describeEvent,
  isRefusalReason,
  printable,
  renderPath,
  renderTimeline,
  verifyTrail,
} from '@hallpass/core'
import { readTrail } from '@hallpass/core/file-trail'
import type { Arguments, Command } from '../command/command.ts'
import { Failure, misused } from '../command/failure.ts'
import type { Output } from '../command/output.ts'

const WHICH = ['task', 'event', 'agent'] as const

/** Lines that can be read; those that cannot are what `verifyTrail` complains about. */
function parsed(texts: readonly string[]): TrailLine[] {
  return texts.flatMap((text) => {
    try {
      const line = JSON.parse(text) as Partial<TrailLine> | null
      const isLine = [line?.id, line?.type, line?.source].every((member) => typeof member === 'string')
      return isLine ? [line as TrailLine] : []
    } catch {
      return []
    }
  })
}

const none = (what: string): Failure => new Failure(`The trail knows no ${what}`)

function wholeEvent(line: TrailLine): string {
  const members = Object.entries(line).map(([name, value]) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    return `  ${printable(name).padEnd(12)} ${printable(text, 2000)}`
  })
  const { reason } = line
  const fix = reason !== undefined && isRefusalReason(reason) ? [`\nWhat to do: ${REASON_WORDS[reason].fix}`] : []
  return [`${describeEvent(line)}\n`, ...members, ...fix].join('\n')
}

/** One event, what it follows, what follows it, and the path of its task. */
function showEvent(lines: readonly TrailLine[], id: string, output: Output): void {
  const line = lines.find((candidate) => candidate.id === id)
  if (line === undefined) throw none(`event ${printable(id)}`)
  const related = lines.filter((other) => other.id === line.follows || other.follows === id)
  output.result({ event: line, says: describeEvent(line), related })
  output.say(wholeEvent(line))
  if (line.txn !== undefined) output.say(`\n${renderPath(lines, line.txn, { color: output.color }) ?? ''}`)
}

function chosen(lines: readonly TrailLine[], args: Arguments): readonly TrailLine[] {
  const [task, agent] = [args.text('task'), args.text('agent')]
  const found = lines.filter(
    (line) => (task === undefined || line.txn === task) && (agent === undefined || line.client_id === agent),
  )
  if (found.length === 0 && task !== undefined) throw none(`task ${printable(task)}`)
  if (found.length === 0 && agent !== undefined) throw none(`agent ${printable(agent)}`)
  if (agent === undefined) return found
  // A task's end and its uses need not name the agent: show its tasks whole.
  const tasks = new Set(found.flatMap(({ txn }) => (txn === undefined ? [] : [txn])))
  return lines.filter((line) => line.client_id === agent || (line.txn !== undefined && tasks.has(line.txn)))
}

export const auditShow: Command = {
  name: 'audit show',
  summary: 'Tell what happened: each task from its opening to its end',
  positionals: 'FILE',
  takes: [1, 1],
  options: {
    task: { type: 'string', value: 'TXN', help: 'One task' },
    event: { type: 'string', value: 'EV', help: 'One event in full, with what to do about it' },
    agent: { type: 'string', value: 'ID', help: 'The tasks of one agent' },
  },
  notes:
    'A trail that does not hold together is shown as far as it can be read, with a warning, and the exit code is 1.',
  async run(args, output) {
    if (WHICH.filter((name) => args.text(name) !== undefined).length > 1) {
      throw misused('Give one of --task, --event and --agent')
    }
    const [file = ''] = args.positionals
    const texts: string[] = []
    for await (const text of readTrail(file)) texts.push(text)
    const verdict = await verifyTrail(texts)
    const lines = parsed(texts)
    const event = args.text('event')
    if (event !== undefined) showEvent(lines, event, output)
    else {
      const found = chosen(lines, args)
      output.result({ whole: verdict.ok, lines: found })
      output.say(renderTimeline(found, { color: output.color }))
    }
    if (verdict.ok) return 0
    output.warn(`Warning: this trail was altered. Line ${verdict.line}: ${verdict.detail}`)
    return 1
  },
}
