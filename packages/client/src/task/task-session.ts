import type { Broker, GrantAsk, TaskEndReason, TaskToken } from '../broker/broker.ts'
import type { SteadyClock } from '../clock/steady-clock.ts'
import { HeldGrant } from '../grant/held-grant.ts'
import { createHeldGrants } from '../grant/held-grants.ts'
import type { CallReason } from '../outcome/advice.ts'
import type { Refusal } from '../outcome/refusal.ts'
import { refusal } from '../outcome/refusal.ts'
import type { AgentTelemetry } from '../telemetry/agent-telemetry.ts'

export interface SessionParts {
  readonly broker: Broker
  readonly clock: SteadyClock
  readonly skewSeconds: number
  readonly pause: (milliseconds: number) => Promise<void>
  readonly retryDelaysMs: readonly number[]
  readonly telemetry: AgentTelemetry | undefined
  /** W3C `traceparent` of the task's span. */
  readonly trace: string | undefined
}

export type Asked = { readonly ok: true; readonly held: HeldGrant } | Refusal

/** The state of one open task: its token, its grants, its end. */
export interface TaskSession {
  readonly txn: string
  readonly telemetry: AgentTelemetry | undefined
  /** W3C `traceparent` of the task's span. */
  readonly trace: string | undefined
  /** Aborted when the task is over, by whatever side. */
  readonly over: AbortSignal
  take(ask: GrantAsk): HeldGrant | undefined
  /** Asks the broker for a grant; renews the task token first where it runs out. */
  ask(ask: GrantAsk, options: { readonly reusable: boolean; readonly signal: AbortSignal }): Promise<Asked>
  release(grant: HeldGrant, unanswered?: { readonly callId: string }): void
  drop(grant: HeldGrant): void
  /** Takes note of what the other side said: a task it calls over is over here. */
  note(refusal: Refusal): void
  end(reason: TaskEndReason): Promise<{ readonly ok: true } | Refusal>
}

const OVER: ReadonlySet<CallReason> = new Set([
  'task-ended',
  'task-expired',
  'task-unknown',
  'incarnation-mismatch',
  'agent-revoked',
])

/** A task token is renewed when this part of its life, at most so many seconds, is left. */
const RENEW_PART = 1 / 3
const RENEW_SECONDS = 60

export function createTaskSession(opened: TaskToken, parts: SessionParts): TaskSession {
  const { broker, clock, skewSeconds, pause, retryDelaysMs, telemetry, trace } = parts
  const { txn } = opened
  const over = new AbortController()
  const grants = createHeldGrants()
  let token: TaskToken | undefined = opened
  let renewal: Promise<Refusal | undefined> | undefined
  let ending: Promise<{ readonly ok: true } | Refusal> | undefined

  function close(): void {
    token = undefined
    grants.clear()
    if (!over.signal.aborted) over.abort()
  }

  function note({ reason }: Refusal): void {
    if (OVER.has(reason)) close()
  }

  /** Joined by all who need it: it belongs to the task, so only the task's end stops it. */
  function renew(): Promise<Refusal | undefined> {
    renewal ??= broker
      .renewTask(txn, { signal: over.signal, trace })
      .then((answer) => {
        if (answer.ok) token = token && answer.task
        else note(answer)
        return answer.ok ? undefined : answer
      })
      .finally(() => (renewal = undefined))
    return renewal
  }

  async function currentToken(): Promise<{ readonly ok: true; readonly token: TaskToken } | Refusal> {
    if (token === undefined) return refusal('task-ended')
    const left = token.expiresAt - clock.steady()
    if (left > Math.min(RENEW_SECONDS, token.lifeSeconds * RENEW_PART)) return { ok: true, token }
    const failed = await renew()
    // A renewal that failed leaves the old token, which is good for what is left of its life.
    const stillGood = token !== undefined && token.expiresAt - clock.steady() > skewFor(token.lifeSeconds)
    return stillGood ? { ok: true, token } : (failed ?? refusal('task-ended'))
  }

  /** Short lives get a shorter margin: the life is counted from before the request left. */
  const skewFor = (lifeSeconds: number): number => Math.min(skewSeconds, lifeSeconds / 4)

  async function ask(
    ask: GrantAsk,
    { reusable, signal }: { readonly reusable: boolean; readonly signal: AbortSignal },
  ): Promise<Asked> {
    const current = await currentToken()
    if (!current.ok) return current
    signal.throwIfAborted()
    const traced = ask.trace === undefined && trace !== undefined ? { ...ask, trace } : ask
    const answer = await broker.grant(current.token, traced, signal)
    if (!answer.ok) {
      note(answer)
      return answer
    }
    if (over.signal.aborted) return refusal('task-ended')
    const { expiresAt, lifeSeconds } = answer.grant
    const useUntil = expiresAt - skewFor(lifeSeconds)
    const held = new HeldGrant({ txn, callId: ask.callId }, answer.grant, {
      useUntil,
      expiresAt: Math.floor(clock.wall() + expiresAt - clock.steady()),
    })
    grants.add(held, { now: clock.steady(), reusable })
    return { ok: true, held }
  }

  async function revoke(reason: TaskEndReason): Promise<{ readonly ok: true } | Refusal> {
    const ended = token
    close()
    if (ended === undefined) return { ok: true }
    let answer = await broker.endTask(ended, reason, trace)
    for (const delay of retryDelaysMs) {
      if (answer.ok || !answer.retryable) break
      await pause(delay)
      answer = await broker.endTask(ended, reason, trace)
    }
    return answer
  }

  return {
    txn,
    telemetry,
    trace,
    over: over.signal,
    take: (ask) => grants.take(ask, clock.steady()),
    ask,
    release: (grant, unanswered) => grants.release(grant, unanswered),
    drop: grants.drop,
    note,
    end: (reason) => (ending ??= revoke(reason)),
  }
}
