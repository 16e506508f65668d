import { canonicalize, HallpassError, isPromise, MAX_TASK_SECONDS, sha256Base64url } from '@hallpass/core'
import type { AuditEvent, AuditSink, JsonObject } from '@hallpass/core'
import type { Policy, Trigger } from '@hallpass/policy'
import { Activity } from './activity.ts'
import type { DueTrigger, Effect, Fired, FireParts } from './fire.ts'
import { fire, targetOf } from './fire.ts'
import type { Counted } from './what-counts.ts'
import { whatCounts } from './what-counts.ts'
import type { Evidence } from './window.ts'
import type { CountingTrigger } from './windows.ts'
import { Windows } from './windows.ts'

/** What somebody else noticed about an agent, a task or a grant. */
export interface Signal {
  readonly name: string
  readonly clientId: string
  readonly txn?: string
  readonly jti?: string
  /** One short sentence for the trail. */
  readonly detail?: string
  readonly by: string
}

/** Ends what an agent holds when it behaves as its policy says it must not. */
export interface Triggers {
  /** The trail, with the triggers watching what is written to it. */
  watch(sink: AuditSink): AuditSink
  /**
   * Compares the posture with that of the task's first decision; resolves when what a change costs is done.
   * Throws HallpassError `ledger-unavailable` where that could not be done yet: nothing may be permitted on top of it.
   */
  posture(task: { readonly txn: string; readonly clientId: string }, posture: JsonObject): Promise<void>
  /**
   * Answers how many triggers of the agent wait for this signal; all of them have acted.
   * Throws HallpassError `ledger-unavailable` where one could not yet: it is tried again, and so may the signal be.
   */
  signal(signal: Signal): Promise<number>
  /** Looks for idle tasks, and tries again what the ledger would not do. */
  sweep(): Promise<void>
}

export interface TriggerOptions {
  readonly policy: Policy
  readonly clock: () => number
  readonly parts: FireParts
}

/**
 * Creates the triggers of one broker. They count what passes through this broker's trail, on its clock, in memory: with
 * several brokers each counts its own share, and a restart begins anew.
 */
export function createTriggers({ policy, clock, parts }: TriggerOptions): Triggers {
  const windows = new Windows()
  const activity = new Activity()
  /** What each task began with. */
  const postures = new Map<string, { readonly digest: string; readonly at: number; isChanged: boolean }>()
  /** Under way or to be tried again, by what it falls on: one end is enough. */
  const due = new Map<string, DueTrigger>()

  const triggersOf = (clientId: string | undefined): readonly Trigger[] =>
    (clientId === undefined ? undefined : policy.agent(clientId)?.revokeOn) ?? []

  const begin = async (key: string, one: DueTrigger): Promise<Effect> => {
    try {
      const effect = await fire(parts, one)
      due.delete(key)
      return effect
    } catch {
      // It stays due: the next sweep tries again, for as long as it takes.
      return 'failed'
    } finally {
      one.running = undefined
    }
  }
  const attempt = (key: string, one: DueTrigger): Promise<Effect> => (one.running ??= begin(key, one))

  const act = async (fired: Fired): Promise<Effect> => {
    const key = JSON.stringify(targetOf(fired) ?? null)
    for (let other = due.get(key); other !== undefined; other = due.get(key)) {
      // One end is enough, if it comes to one: what an API reported may turn out to be about nothing.
      const effect = await attempt(key, other)
      if (effect !== 'moot') return effect
    }
    const one: DueTrigger = { fired, isTold: false, running: undefined }
    due.set(key, one)
    return attempt(key, one)
  }

  const observe = (event: AuditEvent): void => {
    const now = clock()
    activity.see(event, now)
    if (event.type === 'task.ended' && event.txn !== undefined) postures.delete(event.txn)
    const counted = whatCounts(event)
    if (counted.length === 0) return
    const { client_id: clientId, txn, jti } = event
    for (const [place, trigger] of triggersOf(clientId).entries()) {
      if (clientId === undefined || !isCounting(trigger, counted)) continue
      const placed = { trigger, place }
      const evidence = windows.count(placed, event, now)
      if (evidence === undefined) continue
      const restore = (held: readonly Evidence[]): void => windows.restore(placed, event, held)
      void act({ trigger, clientId, txn, jti, evidence, restore })
    }
  }

  return {
    watch(sink) {
      return {
        append(event) {
          const appended = sink.append(event)
          if (isPromise(appended)) return appended.then(() => observe(event))
          observe(event)
          return undefined
        },
        flush: () => sink.flush(),
        close: () => sink.close(),
        ...(sink.tail !== undefined && { tail: sink.tail }),
        ...(sink.holds && { holds: async (events, since) => sink.holds?.(events, since) ?? [] }),
      }
    },
    async posture({ txn, clientId }, posture) {
      const trigger = triggersOf(clientId).find(({ on }) => on === 'posture-changed')
      if (trigger === undefined) return
      const digest = sha256Base64url(canonicalize(posture))
      const before = postures.get(txn)
      if (before === undefined) {
        postures.set(txn, { digest, at: clock(), isChanged: false })
        return
      }
      // What changed has changed: a posture that is the first one again takes back no end that is still to come.
      before.isChanged ||= before.digest !== digest
      if (!before.isChanged) return
      if ((await act({ trigger, clientId, txn, evidence: [] })) === 'failed') throw notActed()
      before.isChanged = false
    },
    async signal({ name, clientId, txn, jti, detail, by }) {
      const waiting = triggersOf(clientId).filter((trigger) => trigger.on === 'signal' && trigger.name === name)
      const said = [`by ${by}`, detail].filter(Boolean).join(': ')
      const effects: Effect[] = []
      for (const trigger of waiting)
        effects.push(await act({ trigger, clientId, txn, jti, evidence: [], detail: said }))
      if (effects.includes('failed')) throw notActed()
      return waiting.length
    },
    async sweep() {
      const now = clock()
      windows.sweep(now)
      for (const [txn, { at }] of postures) if (now - at >= MAX_TASK_SECONDS) postures.delete(txn)
      for (const { txn, clientId } of activity.idle(now, (id) => soonestIdle(triggersOf(id))?.seconds ?? Infinity)) {
        const trigger = soonestIdle(triggersOf(clientId))
        if (trigger !== undefined) await act({ trigger, clientId, txn, evidence: [] })
      }
      for (const [key, one] of due) await attempt(key, one)
    },
  }
}

const notActed = (): HallpassError =>
  new HallpassError(
    'ledger-unavailable',
    'A trigger fired and the ledger did not end what it falls on; check its store',
  )

const isCounting = (trigger: Trigger, counted: readonly Counted[]): trigger is CountingTrigger =>
  (counted as readonly string[]).includes(trigger.on)

type IdleTrigger = Extract<Trigger, { readonly on: 'inactivity' }>

/** The one of an agent's triggers that fires first: it ends the task, and there is nothing left for the others. */
const soonestIdle = (triggers: readonly Trigger[]): IdleTrigger | undefined =>
  triggers
    .filter((trigger) => trigger.on === 'inactivity')
    .reduce<IdleTrigger | undefined>((first, one) => (first && first.seconds <= one.seconds ? first : one), undefined)
