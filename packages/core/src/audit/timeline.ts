import type { EventType, TrailLine } from './event.ts'
import { describeEvent } from './describe-event.ts'
import { printable } from './printable.ts'
import type { TaskStory } from './tasks-of.ts'
import { tasksOf } from './tasks-of.ts'

export interface TimelineOptions {
  /** ANSI colours, for a terminal; default false. */
  readonly color?: boolean
}

type Tone = 'good' | 'bad' | 'plain' | 'quiet'

/** Mark, word and tone of each type of event: a reader follows the marks down the page. */
const LOOKS: Readonly<Record<EventType, readonly [mark: string, word: string, tone: Tone]>> = {
  'broker.started': ['·', 'started', 'quiet'],
  'policy.loaded': ['·', 'policy', 'quiet'],
  'key.rotated': ['·', 'key', 'quiet'],
  'task.opened': ['●', 'opened', 'plain'],
  'task.refused': ['✗', 'refused', 'bad'],
  'task.renewed': ['●', 'renewed', 'quiet'],
  'task.ended': ['■', 'ended', 'plain'],
  'grant.issued': ['✓', 'granted', 'good'],
  'grant.refused': ['✗', 'refused', 'bad'],
  'grant.revoked': ['⊘', 'revoked', 'bad'],
  'grant.expired': ['·', 'expired', 'quiet'],
  'use.started': ['→', 'used', 'good'],
  'use.refused': ['✗', 'refused', 'bad'],
  'use.repeated': ['↺', 'repeated', 'quiet'],
  'use.ended': ['←', 'answered', 'plain'],
  'use.given-back': ['↩', 'given back', 'plain'],
  'use.unknown': ['?', 'unknown', 'bad'],
  'use.passed': ['!', 'unguarded', 'bad'],
  'trigger.fired': ['⚠', 'trigger', 'bad'],
  'revocation.requested': ['⊘', 'revoke', 'bad'],
  'revocation.lifted': ['·', 'resumed', 'plain'],
  'traffic.refused': ['✗', 'refused', 'bad'],
  'trail.checkpoint': ['✎', 'signed', 'quiet'],
  'trail.recovered': ['!', 'recovered', 'bad'],
  'trail.vouched': ['✎', 'vouched', 'quiet'],
  'trail.gap': ['!', 'gap', 'bad'],
}

const PAINT: Readonly<Record<Tone | 'strong', readonly [string, string]>> = {
  good: ['\u001b[32m', '\u001b[39m'],
  bad: ['\u001b[31m', '\u001b[39m'],
  quiet: ['\u001b[2m', '\u001b[22m'],
  strong: ['\u001b[1m', '\u001b[22m'],
  plain: ['', ''],
}

type Painter = (tone: Tone | 'strong', text: string) => string
const painter =
  (color: boolean): Painter =>
  (tone, text) =>
    color ? `${PAINT[tone][0]}${text}${PAINT[tone][1]}` : text

const utc = (time: number): string => {
  const date = new Date(time * 1000)
  return Number.isNaN(date.getTime()) ? '?' : date.toISOString().replace('T', ' ').replace('Z', '')
}
const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`
const duration = (seconds: number): string =>
  seconds < 120 ? `${seconds.toFixed(3)} s` : `${(seconds / 60).toFixed(1)} min`

function row(line: TrailLine, when: string, paint: Painter): string {
  const [mark, word, tone] = Object.hasOwn(LOOKS, line.type) ? LOOKS[line.type] : (['·', 'other', 'quiet'] as const)
  const story = describeEvent(line)
  return `  ${paint('quiet', when)}  ${paint(tone, `${mark} ${word.padEnd(10)}`)}  ${story}  ${paint('quiet', printable(line.id))}`
}

function heading(task: TaskStory, paint: Painter): string[] {
  const { txn, agent, owner, purpose, note, openedAt, endedAt, end } = task
  const who = `${printable(agent ?? 'unknown agent')}${owner === undefined ? '' : `, owned by ${printable(owner)}`}`
  const took = openedAt === undefined || endedAt === undefined ? '' : ` after ${duration(endedAt - openedAt)}`
  const ended = endedAt === undefined ? 'still open' : `${printable(end ?? 'ended')}${took}`
  const about = [purpose, note === undefined ? undefined : `“${note}”`].flatMap((part) =>
    part === undefined ? [] : [printable(part)],
  )
  const opened = openedAt === undefined ? 'opened before this trail' : `opened ${utc(openedAt)} UTC`
  const numbers = `${plural(task.grants, 'grant')}, ${plural(task.uses, 'use')}, ${task.refusals} refused`
  return [`${paint('strong', `Task ${printable(txn)}`)}  ${who}`, [...about, opened, ended, numbers].join(' · ')]
}

function block(task: TaskStory, paint: Painter): string {
  const start = task.openedAt ?? task.lines[0]?.time ?? 0
  const when = (line: TrailLine): string => {
    const offset = line.time - start
    return `${`${offset < 0 ? '-' : '+'}${Math.abs(offset).toFixed(3)}`.padStart(10)} s`
  }
  return [...heading(task, paint), ...task.lines.map((line) => row(line, when(line), paint))].join('\n')
}

/** One task from its opening to its end, as lines for a terminal; undefined when the trail does not know it. */
export function renderPath(
  lines: Iterable<TrailLine>,
  txn: string,
  { color = false }: TimelineOptions = {},
): string | undefined {
  const task = tasksOf(lines).find((candidate) => candidate.txn === txn)
  return task && block(task, painter(color))
}

/**
 * The whole trail for a person: each task's path from open through decisions, uses and refusals to its end, then what
 * belongs to no task. Nothing an event holds can control the terminal.
 */
export function renderTimeline(lines: Iterable<TrailLine>, { color = false }: TimelineOptions = {}): string {
  const all = [...lines]
  const paint = painter(color)
  const rest = all.filter((line) => line.txn === undefined)
  const blocks = tasksOf(all).map((task) => block(task, paint))
  if (rest.length > 0) {
    blocks.push(
      [paint('strong', 'Outside any task'), ...rest.map((line) => row(line, utc(line.time), paint))].join('\n'),
    )
  }
  return blocks.join('\n\n')
}
