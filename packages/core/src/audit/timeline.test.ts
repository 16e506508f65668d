import { describe, expect, test } from 'vitest'
import type { RefusalReason } from '../reason.ts'
import { describeEvent, isEventType } from './describe-event.ts'
import type { AuditEvent, EventType, TrailLine } from './event.ts'
import { memoryTrail } from './memory-trail.ts'
import { printable } from './printable.ts'
import { REASON_WORDS, isRefusalReason } from './reason-words.ts'
import { tasksOf } from './tasks-of.ts'
import { renderPath, renderTimeline } from './timeline.ts'

const start = 1_750_000_000
const base = {
  source: 'broker:https://b.example',
  txn: 'tsk_1',
  client_id: 'support-bot',
  owner: 'team:support',
} as const
const refund = { ...base, jti: 'gr_1', action: 'refund.create', resource: 'order:123' } as const
const story: readonly AuditEvent[] = [
  { ...base, txn: 'tsk_1', id: 'ev_1', type: 'task.opened', time: start, purpose: 'support-ticket', note: '#9917' },
  { ...refund, id: 'ev_2', type: 'grant.issued', time: start + 0.012, ttl: 30, rule: 'small-refund' },
  { ...refund, id: 'ev_3', type: 'use.started', time: start + 0.02, source: 'verifier:https://a.example' },
  { ...refund, id: 'ev_4', type: 'use.ended', time: start + 0.031, status: 201, follows: 'ev_3' },
  {
    ...base,
    id: 'ev_5',
    type: 'grant.refused',
    time: start + 0.5,
    action: 'refund.create',
    resource: 'order:124',
    reason: 'no-rule-matched',
  },
  { ...base, id: 'ev_6', type: 'task.ended', time: start + 1.4, reason: 'completed' },
]

async function linesOf(events: readonly AuditEvent[]): Promise<readonly TrailLine[]> {
  const trail = memoryTrail()
  for (const event of events) await trail.append(event)
  return trail.events()
}

describe('renderPath()', () => {
  test('tells one task from open to end', async () => {
    expect(renderPath(await linesOf(story), 'tsk_1')).toMatchInlineSnapshot(`
      "Task tsk_1  support-bot, owned by team:support
      support-ticket · “#9917” · opened 2025-06-15 15:06:40.000 UTC · completed after 1.400 s · 1 grant, 1 use, 1 refused
            +0.000 s  ● opened      support-bot opened a task for support-ticket: “#9917”  ev_1
            +0.012 s  ✓ granted     support-bot got a grant for refund.create on order:123, good for 30 seconds (rule small-refund)  ev_2
            +0.020 s  → used        support-bot spent a use: refund.create on order:123  ev_3
            +0.031 s  ← answered    The API answered 201 to refund.create on order:123  ev_4
            +0.500 s  ✗ refused     support-bot was refused refund.create on order:124: no rule of the policy allows it  ev_5
            +1.400 s  ■ ended       The task ended: completed  ev_6"
    `)
  })

  test('knows no other task', async () => {
    expect(renderPath(await linesOf(story), 'tsk_2')).toBeUndefined()
  })

  test('colours only when asked', async () => {
    const lines = await linesOf(story)
    expect(renderPath(lines, 'tsk_1')).not.toContain('\u001B')
    expect(renderPath(lines, 'tsk_1', { color: true })).toContain('\u001B[32m→ used')
  })
})

describe('renderTimeline()', () => {
  test('tells every task, then what belongs to none', async () => {
    const other: AuditEvent = { ...base, id: 'ev_7', type: 'task.opened', time: start, txn: 'tsk_2' }
    const none: AuditEvent = {
      id: 'ev_8',
      type: 'traffic.refused',
      time: start,
      source: 'x',
      count: 3,
      reason: 'credential-missing',
    }
    const page = renderTimeline(await linesOf([none, ...story, other]))
    const order = ['Task tsk_1', 'ev_6', 'Task tsk_2', 'Outside any task', '3 unauthenticated requests were refused']
    expect(order.map((text) => page.indexOf(text)).toSorted((a, b) => a - b)).toEqual(
      order.map((text) => page.indexOf(text)),
    )
    expect(order.every((text) => page.includes(text))).toBe(true)
  })

  test('lets nothing in an event control the terminal', async () => {
    const evil = '\u001B[2J\u001B]0;owned\u0007\r\n\u009B31m\u202Eevil\u2028'
    const attack: AuditEvent = {
      id: `ev_${evil}`,
      type: 'task.refused',
      time: start,
      source: evil,
      txn: `tsk_${evil}`,
      client_id: evil,
      owner: evil,
      purpose: evil,
      note: evil,
      action: evil,
      resource: evil,
      reason: evil,
      detail: evil,
      rule: evil,
    }
    const types = [
      'task.opened',
      'task.ended',
      'grant.issued',
      'grant.refused',
      'use.refused',
      'grant.revoked',
      'broker.started',
    ] as const
    const lines = await linesOf(types.map((type, n) => ({ ...attack, id: `${attack.id}${n}`, type })))
    const page = renderTimeline(lines)
    expect(page.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}]/u)
    expect(page.split('\n')).toHaveLength(types.length + 2)
  })

  test('is not fooled by other types where numbers and text belong, as a forger may write them', () => {
    const evil = '\u001B[2J'
    const wrong = {
      status: evil,
      ttl: evil,
      count: evil,
      note: 5,
      reason: {},
      time: evil,
      id: 7,
      policy: { version: evil },
    }
    const types = ['use.ended', 'grant.issued', 'traffic.refused', 'task.opened', 'task.ended', 'policy.loaded']
    const lines = types.map((type) => ({ ...wrong, type, source: 'x', txn: 't' }) as unknown as TrailLine)
    expect(renderTimeline(lines)).not.toContain('\u001B')
  })

  test('shows a line of a newer version without understanding it', async () => {
    const [line] = await linesOf([{ ...base, id: 'ev_1', type: 'task.paused' as EventType, time: start }])
    expect(renderTimeline(line ? [line] : [])).toContain('An event of the unknown type task.paused')
  })
})

describe('tasksOf()', () => {
  test('sums a task up', async () => {
    expect(tasksOf(await linesOf(story))).toMatchObject([
      {
        txn: 'tsk_1',
        agent: 'support-bot',
        purpose: 'support-ticket',
        end: 'completed',
        grants: 1,
        uses: 1,
        refusals: 1,
      },
    ])
  })

  test('counts an event that was merged twice once', async () => {
    expect(tasksOf(await linesOf([...story, ...story.slice(2, 3)]))).toMatchObject([{ uses: 1 }])
  })
})

describe('describeEvent()', () => {
  test.each(Object.keys(REASON_WORDS) as RefusalReason[])('has words for %s', (reason) => {
    const { means, fix } = REASON_WORDS[reason]
    expect(means).toMatch(/^[a-z].{10,}[^.]$/)
    expect(fix).toMatch(/^[A-Z`].{10,}[^.]$/)
    expect(describeEvent({ ...refund, id: 'ev_1', type: 'use.refused', time: start, reason })).toContain(means)
  })

  test.each(['toString', '__proto__', 'constructor'])('takes %s for no reason and no type', (word) => {
    expect(isRefusalReason(word)).toBe(false)
    expect(isEventType(word)).toBe(false)
  })
})

describe('printable()', () => {
  test.each([
    ['plain text — “with” ümläut 日本', 'plain text — “with” ümläut 日本'],
    ['a\u001B[31mb', 'a\\u{1b}[31mb'],
    ['\uD800', '\\u{d800}'],
    ['x'.repeat(300), `${'x'.repeat(199)}…`],
  ])('shows %j', (text, shown) => {
    expect(printable(text)).toBe(shown)
  })
})
