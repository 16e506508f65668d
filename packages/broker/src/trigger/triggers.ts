import { canonicalize, isPromise, sha256Base64url } from '@hallpass/core'
import type { AuditEvent, AuditSink, JsonObject } from '@hallpass/core'
import type { Policy, Trigger } from '@hallpass/policy'
import { Activity } from './activity.ts'
import type { DueTrigger, Fired, FireParts } from './fire.ts'
import { fire, targetOf } from './fire.ts'
import type { Counted } from './what-counts.ts'
import { whatCounts } from './what-counts.ts'
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
  /** Compares the posture with the one the task began with; resolves when what a change costs is done. */
  posture(task: { readonly txn: string; readonly clientId: string }, posture: JsonObject): Promise<void>
  /** Answers how many triggers of the agent wait for this signal; all of them have acted. */
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
  const postures = new Map<string, string>()
  /** Under way or to be tried again, by what it falls on: one end is enough. */
  const due = new Map<string, DueTrigger>()

  const triggersOf = (clientId: string | undefined): readonly Trigger[] =>
    (clientId === undefined ? undefined : policy.agent(clientId)?.revokeOn) ?? []

  const attempt = async (key: string, one: DueTrigger): Promise<void> => {
    if (one.isRunning) return
    one.isRunning = true
    try {
      await fire(parts, one)
      due.delete(key)
    } catch {
      // It stays due: the next sweep tries again, for as long as it takes.
    } finally {
      one.isRunning = false
    }
  }

  const act = async (fired: Fired): Promise<void> => {
    const key = JSON.stringify(targetOf(fired) ?? null)
    if (due.has(key)) return
    const one = { fired, isTold: false, isRunning: false }
    due.set(key, one)
    await attempt(key, one)
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
      const evidence = windows.count({ trigger, place }, event, now)
      if (evidence !== undefined) void act({ trigger, clientId, txn, jti, evidence })
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
      }
    },
    async posture({ txn, clientId }, posture) {
      const trigger = triggersOf(clientId).find(({ on }) => on === 'posture-changed')
      if (trigger === undefined) return
      const digest = sha256Base64url(canonicalize(posture))
      const before = postures.get(txn)
      if (before === undefined) postures.set(txn, digest)
      if (before === undefined || before === digest) return
      await act({ trigger, clientId, txn, evidence: [] })
    },
    async signal({ name, clientId, txn, jti, detail, by }) {
      const waiting = triggersOf(clientId).filter((trigger) => trigger.on === 'signal' && trigger.name === name)
      const said = [`by ${by}`, detail].filter(Boolean).join(': ')
      for (const trigger of waiting) await act({ trigger, clientId, txn, jti, evidence: [], detail: said })
      return waiting.length
    },
    async sweep() {
      const now = clock()
      windows.sweep(now)
      for (const { txn, clientId } of activity.idle(now, (id) => idleSeconds(triggersOf(id)))) {
        const trigger = triggersOf(clientId).find(({ on }) => on === 'inactivity')
        if (trigger !== undefined) await act({ trigger, clientId, txn, evidence: [] })
      }
      for (const [key, one] of due) await attempt(key, one)
    },
  }
}

const isCounting = (trigger: Trigger, counted: readonly Counted[]): trigger is CountingTrigger =>
  (counted as readonly string[]).includes(trigger.on)

const idleSeconds = (triggers: readonly Trigger[]): number =>
  triggers.reduce(
    (least, trigger) => (trigger.on === 'inactivity' ? Math.min(least, trigger.seconds) : least),
    Infinity,
  )
