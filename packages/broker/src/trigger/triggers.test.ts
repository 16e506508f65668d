import type { AuditEvent, GrantState, Ledger, RevocationTarget } from '@hallpass/core'
import { memoryTrail } from '@hallpass/core'
import type { Policy, Trigger } from '@hallpass/policy'
import { describe, expect, test } from 'vitest'
import { createRecorder } from '../audit/recorder.ts'
import { createTriggers } from './triggers.ts'

const JKT = 'key-of-the-agent'
let nextEvent = 0

/** An event of a verifier about the agent's own grant, with a fresh proof. */
const refused = (reason: string, more: Partial<AuditEvent> = {}): AuditEvent => ({
  id: `ev_${(nextEvent += 1)}`,
  type: 'use.refused',
  time: 0,
  source: 'verifier:https://orders.test#1',
  client_id: 'bot',
  txn: 'tsk_1',
  jti: 'gr_1',
  aud: 'https://orders.test',
  jkt: JKT,
  reason,
  ...more,
})

function setUp(triggers: readonly Trigger[], grants: readonly string[] = ['gr_1', 'gr_2']) {
  const state = { now: 1000, isDown: false }
  const clock = () => state.now
  const trail = memoryTrail()
  const killed: { target: RevocationTarget; reason: string; by: string }[] = []
  const ledger = {
    grant: (jti: string): GrantState | undefined =>
      grants.includes(jti) ? ({ clientId: 'bot', audience: 'https://orders.test' } as GrantState) : undefined,
  } as unknown as Ledger
  const policy = {
    agent: (id: string) => (id === 'bot' ? { revokeOn: triggers } : undefined),
  } as unknown as Policy
  const recorder = createRecorder(trail, 'broker:test', clock)
  const watching = createTriggers({
    policy,
    clock,
    parts: {
      ledger,
      recorder,
      revoke: async (target, reason, { by }) => {
        if (state.isDown) throw new Error('down')
        killed.push({ target, reason, by })
      },
    },
  })
  const sink = watching.watch(trail)
  const tell = async (...events: AuditEvent[]) => {
    for (const event of events) await sink.append(event)
    await new Promise((resolve) => setImmediate(resolve))
  }
  const fired = async () =>
    (await trail.events({ type: 'trigger.fired' })).map(({ reason, count, data }) => ({ reason, count, data }))
  return { state, trail, killed, tell, fired, watching }
}

const outOfScope: Trigger = { on: 'out-of-scope', count: 3, windowSeconds: 60, effect: 'end-task' }

describe('createTriggers()', () => {
  test.each<[Trigger, string, RevocationTarget]>([
    [outOfScope, 'resource-mismatch', { kind: 'task', txn: 'tsk_1' }],
    [{ ...outOfScope, effect: 'revoke-grant' }, 'action-mismatch', { kind: 'grant', jti: 'gr_1' }],
    [{ ...outOfScope, effect: 'quarantine-agent' }, 'parameters-mismatch', { kind: 'agent', clientId: 'bot' }],
    [{ ...outOfScope, on: 'refused-requests' }, 'proof-time', { kind: 'task', txn: 'tsk_1' }],
    [{ ...outOfScope, on: 'used-after-end' }, 'grant-revoked', { kind: 'task', txn: 'tsk_1' }],
    [{ ...outOfScope, on: 'proof-replayed' }, 'proof-replayed', { kind: 'task', txn: 'tsk_1' }],
    [{ on: 'total-reached', effect: 'end-task' }, 'limit-exceeded', { kind: 'task', txn: 'tsk_1' }],
  ])('%o fires on the last of its count, with its evidence', async (trigger, reason, target) => {
    const { tell, killed, fired } = setUp([trigger])
    const count = 'count' in trigger ? trigger.count : 1
    const events = Array.from({ length: count }, () => refused(reason))
    await tell(...events.slice(0, -1))
    expect(killed).toEqual([])
    await tell(...events.slice(-1))
    expect(killed).toEqual([{ target, reason: trigger.on, by: `trigger:${trigger.on}` }])
    expect(await fired()).toMatchObject([
      { reason: trigger.on, count, data: { effect: trigger.effect, events: events.map(({ id }) => id) } },
    ])
  })

  test('velocity fires on the use after the last allowed one', async () => {
    const { tell, killed } = setUp([{ on: 'velocity', calls: 2, windowSeconds: 10, effect: 'end-task' }])
    const use = () => refused('', { type: 'use.started' })
    await tell(use(), use())
    expect(killed).toEqual([])
    await tell(use())
    expect(killed).toHaveLength(1)
  })

  test('a window forgets what is older', async () => {
    const { tell, killed, state } = setUp([outOfScope])
    await tell(refused('resource-mismatch'), refused('resource-mismatch'))
    state.now += 60
    await tell(refused('resource-mismatch'), refused('resource-mismatch'))
    expect(killed).toEqual([])
    state.now += 59.9
    await tell(refused('resource-mismatch'))
    expect(killed).toHaveLength(1)
  })

  test.each([
    ['another task', [{}, {}, { txn: 'tsk_2' }]],
    ['another agent', [{}, {}, { client_id: 'other' }]],
    ['no fresh proof', [{}, {}, { jkt: undefined as never }]],
    ['another reason', [{}, {}, { reason: 'proof-time' }]],
    ['a broken ledger', [{}, {}, { reason: 'ledger-unavailable' }]],
  ])('does not count %s', async (_name, changes) => {
    const { tell, killed } = setUp([outOfScope])
    await tell(...changes.map((change) => refused('resource-mismatch', change)))
    expect(killed).toEqual([])
  })

  test.each([
    ['a grant nobody issued', 'gr_9', 'https://orders.test'],
    ["another API's grant", 'gr_1', 'https://stock.test'],
  ])('does not act on what an API reports of %s', async (_name, jti, aud) => {
    const { tell, killed, fired } = setUp([{ ...outOfScope, effect: 'quarantine-agent' }])
    await tell(refused('resource-mismatch'), refused('resource-mismatch'), refused('resource-mismatch', { jti, aud }))
    expect([killed, await fired()]).toEqual([[], []])
  })

  test('counts on with what holds where an API reported something that does not', async () => {
    const { tell, killed } = setUp([{ ...outOfScope, effect: 'quarantine-agent' }])
    const own = () => refused('resource-mismatch')
    await tell(own(), own(), refused('resource-mismatch', { jti: 'gr_9' }))
    expect(killed).toEqual([])
    await tell(own())
    expect(killed).toHaveLength(1)
  })

  test('acts when the ledger is back, and tells it once', async () => {
    const { tell, killed, state, fired, watching } = setUp([{ ...outOfScope, count: 1 }])
    state.isDown = true
    await tell(refused('resource-mismatch'), refused('resource-mismatch'))
    await watching.sweep()
    expect(killed).toEqual([])
    state.isDown = false
    await watching.sweep()
    await watching.sweep()
    expect(killed).toHaveLength(1)
    expect(await fired()).toHaveLength(1)
  })

  test('lets nothing pass on top of an end that the ledger would not take', async () => {
    const { watching, killed, state } = setUp([
      { on: 'posture-changed', effect: 'end-task' },
      { on: 'signal', name: 'host-compromised', effect: 'quarantine-agent' },
    ])
    const task = { txn: 'tsk_1', clientId: 'bot' }
    await watching.posture(task, { image: 'a' })
    state.isDown = true
    const unavailable = expect.objectContaining({ code: 'ledger-unavailable' })
    await expect(watching.posture(task, { image: 'b' })).rejects.toEqual(unavailable)
    await expect(watching.posture(task, { image: 'b' })).rejects.toEqual(unavailable)
    await expect(watching.signal({ name: 'host-compromised', clientId: 'bot', by: 'edr' })).rejects.toEqual(unavailable)
    state.isDown = false
    await watching.posture(task, { image: 'b' })
    expect(killed.map(({ target }) => target)).toEqual([{ kind: 'task', txn: 'tsk_1' }])
    await watching.sweep()
    expect(killed.map(({ target }) => target.kind)).toEqual(['task', 'agent'])
  })

  test('goes on refusing a posture that is the first one again, until the task is over', async () => {
    const { watching, killed, state } = setUp([{ on: 'posture-changed', effect: 'end-task' }])
    const task = { txn: 'tsk_1', clientId: 'bot' }
    await watching.posture(task, { image: 'a' })
    state.isDown = true
    const unavailable = expect.objectContaining({ code: 'ledger-unavailable' })
    await expect(watching.posture(task, { image: 'b' })).rejects.toEqual(unavailable)
    await expect(watching.posture(task, { image: 'a' })).rejects.toEqual(unavailable)
    state.isDown = false
    await watching.posture(task, { image: 'a' })
    expect(killed.map(({ target }) => target)).toEqual([{ kind: 'task', txn: 'tsk_1' }])
  })

  test('watches a trail without hiding what it kept over a restart', () => {
    const { watching, trail } = setUp([])
    expect(watching.watch(trail).tail).toBeUndefined()
    const tail = [] as const
    expect(watching.watch({ ...trail, tail }).tail).toBe(tail)
  })

  test('acts although a report of an API about the same agent is being found wrong', async () => {
    const signal: Trigger = { on: 'signal', name: 'host-compromised', effect: 'quarantine-agent' }
    const { tell, watching, killed } = setUp([{ ...outOfScope, count: 1, effect: 'quarantine-agent' }, signal])
    const told = tell(refused('resource-mismatch', { jti: 'gr_9' }))
    await watching.signal({ name: 'host-compromised', clientId: 'bot', by: 'edr' })
    await told
    expect(killed).toMatchObject([{ target: { kind: 'agent' }, reason: 'signal' }])
  })

  test('ends a task that does nothing, and none that does', async () => {
    const { tell, killed, state, watching } = setUp([{ on: 'inactivity', seconds: 900, effect: 'end-task' }])
    const opened = (txn: string) => refused('', { type: 'task.opened', txn, source: 'broker:https://broker.test' })
    await tell(opened('tsk_1'), opened('tsk_2'), opened('tsk_3'))
    state.now += 899
    await tell(
      refused('', { type: 'use.started', txn: 'tsk_2' }),
      refused('', { type: 'task.ended', txn: 'tsk_3', source: 'broker:https://broker.test' }),
    )
    await watching.sweep()
    expect(killed).toEqual([])
    state.now += 1
    await watching.sweep()
    await watching.sweep()
    expect(killed.map(({ target }) => target)).toEqual([{ kind: 'task', txn: 'tsk_1' }])
  })

  test('of several idle times the shortest counts, with its own effect', async () => {
    const { tell, killed, state, watching } = setUp([
      { on: 'inactivity', seconds: 900, effect: 'end-task' },
      { on: 'inactivity', seconds: 60, effect: 'quarantine-agent' },
    ])
    await tell(refused('', { type: 'task.opened', source: 'broker:https://broker.test' }))
    state.now += 60
    await watching.sweep()
    expect(killed.map(({ target }) => target)).toEqual([{ kind: 'agent', clientId: 'bot' }])
  })

  test('ends a task whose posture is not what it was', async () => {
    const { watching, killed } = setUp([{ on: 'posture-changed', effect: 'quarantine-agent' }])
    const task = { txn: 'tsk_1', clientId: 'bot' }
    await watching.posture(task, { image: 'a', patched: true })
    await watching.posture(task, { patched: true, image: 'a' })
    await watching.posture({ ...task, txn: 'tsk_2' }, { image: 'b', patched: true })
    expect(killed).toEqual([])
    await watching.posture(task, { image: 'b', patched: true })
    expect(killed).toMatchObject([{ target: { kind: 'agent', clientId: 'bot' } }])
  })

  test('acts on a signal that a trigger waits for, and on no other', async () => {
    const { watching, killed, trail } = setUp([{ on: 'signal', name: 'host-compromised', effect: 'end-task' }])
    const signal = { name: 'host-compromised', clientId: 'bot', txn: 'tsk_1', by: 'edr', detail: 'beacon' }
    expect(await watching.signal({ ...signal, name: 'other' })).toBe(0)
    expect(await watching.signal({ ...signal, clientId: 'other' })).toBe(0)
    expect(await watching.signal(signal)).toBe(1)
    expect(killed).toMatchObject([{ target: { kind: 'task', txn: 'tsk_1' }, reason: 'signal' }])
    expect(await trail.events({ type: 'trigger.fired' })).toMatchObject([{ detail: 'by edr: beacon' }])
  })
})
