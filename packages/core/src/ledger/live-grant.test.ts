import { describe, expect, test } from 'vitest'
import { Charges } from './charges.ts'
import { Counter } from './counter.ts'
import type { GrantRecord, TaskState } from './ledger.ts'
import type { GrantFacts } from './live-grant.ts'
import { LiveGrant } from './live-grant.ts'
import { LiveAgent } from './live-agent.ts'
import { LiveTask } from './live-task.ts'
import { Use } from './use.ts'
import { StandingStops } from './standing-stops.ts'

const NOW = 1_700_000_000
const CALLS = { id: 'calls', per: 'grant', max: 3 } as const

const own = { txn: 't', clientId: 'bot', owner: 'o', policy: { version: '1', digest: 'd' }, incarnation: 'mem_1' }

/** A registered grant of 60 s and its task. */
function registered() {
  const facts = { purpose: 'p', jkt: 'j', identity: { iss: 'i', sub: 's' }, openedAt: NOW, deadline: NOW + 600 }
  const task = new LiveTask({ ...own, ...facts }, new LiveAgent())
  const times = { iat: NOW, exp: NOW + 60 }
  const place = { issuer: 'i', jti: 'g', audience: 'a', action: 'x', resource: 'r:1', status: { uri: 'u', idx: 0 } }
  const record: GrantRecord = { ...own, ...place, ...times, limits: [CALLS] }
  const charges = new Charges([{ limit: CALLS, counter: new Counter(CALLS) }])
  return { task, record, grant: new LiveGrant(record, charges, { record, task }) }
}

describe('LiveGrant.state()', () => {
  test('says what was granted, and what is left of it', () => {
    const { grant, record } = registered()
    expect(grant.state(NOW)).toEqual({ ...record, usesLeft: 3 })
  })

  test.each<[TaskState['end'], object | undefined]>([
    [
      { how: 'completed', at: NOW + 59.5 },
      { at: NOW + 59.5, reason: 'completed' },
    ],
    [
      { how: 'failed', at: NOW, reason: 'gave up' },
      { at: NOW, reason: 'gave up' },
    ],
    [{ how: 'completed', at: NOW + 60 }, undefined],
  ])('in a task with the end %j', (end, revoked) => {
    const { grant, task } = registered()
    task.end = end
    expect(grant.state(NOW + 60)?.revoked).toEqual(revoked)
  })

  test('says why it was revoked itself, whatever became of its task', () => {
    const { grant, task } = registered()
    grant.revoked = { at: NOW + 1, reason: 'leaked' }
    task.end = { how: 'completed', at: NOW }
    expect(grant.state(NOW + 2)?.revoked).toEqual({ at: NOW + 1, reason: 'leaked' })
  })

  test('says nothing of a grant that only its signature made known', () => {
    const charges = new Charges([{ limit: CALLS, counter: new Counter(CALLS) }])
    expect(new LiveGrant(facts, charges, { stops: new StandingStops(5) }).state(NOW)).toBeUndefined()
  })
})

const facts: GrantFacts = {
  issuer: 'i',
  jti: 'g',
  txn: 't',
  clientId: 'bot',
  audience: 'a',
  action: 'x',
  resource: undefined,
  iat: NOW,
  exp: NOW + 60,
}

describe('LiveGrant.whyDead() of a signed grant', () => {
  const grant = (changes: Partial<GrantFacts>) =>
    new LiveGrant({ ...facts, ...changes }, new Charges([]), { stops: new StandingStops(5) })

  test.each<[Partial<GrantFacts>, number, string | undefined]>([
    [{}, 59.5, undefined],
    [{}, 60, 'token-expired'],
    [{ deadline: NOW + 30 }, 29.5, undefined],
    [{ deadline: NOW + 30 }, 30, 'task-expired'],
    [{ deadline: NOW + 60 }, 60, 'token-expired'],
    [{ deadline: Number.NaN }, 0, 'task-expired'],
  ])('%j after %d s: %s', (changes, seconds, reason) => {
    expect(grant(changes).whyDead(NOW + seconds)).toBe(reason)
    expect(grant(changes).lives(NOW + seconds)).toBe(reason === undefined)
  })
})

test('LiveGrant keeps every use whose attempt may be sent again with more to tell than a number', () => {
  const { grant } = registered()
  const uses = ['a', 'b', 'c'].map((attempt) => {
    const { issuer, audience, jti, txn, clientId, action, iat, exp } = grant.facts
    const asked = { issuer, audience, jti, txn, clientId, action, iat, exp, resource: 'r:1' }
    const request = { ...asked, attempt, event: `ev_${attempt}`, source: 'registered' as const }
    const mark = { a: 1, b: 2 }
    return new Use(grant, { ...request, limits: [], amounts: {} }, { mark, at: NOW, end: NOW + 60 })
  })
  for (const use of uses) grant.addUse(use)
  expect(['a', 'b', 'c', 'd'].map((attempt) => grant.keptUse(attempt))).toEqual([...uses, undefined])
})
