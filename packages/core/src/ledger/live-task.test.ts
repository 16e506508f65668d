import { describe, expect, test } from 'vitest'
import { LiveAgent } from './live-agent.ts'
import { LiveTask } from './live-task.ts'
import type { TaskState } from './ledger.ts'

const NOW = 1_700_000_000
const DEADLINE = NOW + 600

const live = (end?: TaskState['end']) => {
  const own = { txn: 't', clientId: 'bot', owner: 'o', policy: { version: '1', digest: 'd' }, incarnation: 'mem_1' }
  const facts = { purpose: 'p', jkt: 'j', identity: { iss: 'i', sub: 's' }, openedAt: NOW, deadline: DEADLINE }
  const task = new LiveTask({ ...own, ...facts }, new LiveAgent())
  task.end = end
  return task
}

describe('LiveTask.whyOver()', () => {
  test.each<[TaskState['end'], number, string | undefined]>([
    [undefined, DEADLINE - 0.5, undefined],
    [undefined, DEADLINE, 'task-expired'],
    [{ how: 'expired', at: DEADLINE }, DEADLINE, 'task-expired'],
    [{ how: 'completed', at: NOW }, NOW, 'task-ended'],
    [{ how: 'revoked', at: NOW }, DEADLINE, 'task-ended'],
  ])('with the end %j at %d: %s', (end, now, reason) => {
    expect(live(end).whyOver(now)).toBe(reason)
    expect(live(end).isOpen(now)).toBe(reason === undefined)
  })
})

test('LiveTask.usesOf() counts one action in one place', () => {
  const task = live()
  task.usesOf('a').count += 1
  task.usesOf('a').count += 1
  task.usesOf('b')
  expect(task.state(NOW).uses).toEqual({ a: 2 })
})
