import type { AuditEvent, JsonObject, Ledger, RevocationTarget, Telemetry } from '@hallpass/core'
import type { Trigger } from '@hallpass/policy'
import type { Recorder } from '../audit/recorder.ts'
import type { Evidence } from './window.ts'

/** A trigger that fired, and what it fired on. */
export interface Fired {
  readonly trigger: Trigger
  readonly clientId: string
  readonly txn?: string | undefined
  readonly jti?: string | undefined
  readonly evidence: readonly Evidence[]
  /** Takes back the evidence that holds, where some of it does not. */
  readonly restore?: (evidence: readonly Evidence[]) => void
  /** One sentence for the trail, where the kind alone does not say it. */
  readonly detail?: string
}

/** `moot`: there is nothing to end, or what an API reported does not hold. `failed`: it has to be tried again. */
export type Effect = 'done' | 'moot' | 'failed'

/** What is under way, or to be tried again. */
export interface DueTrigger {
  readonly fired: Fired
  isTold: boolean
  /** The attempt that is under way. */
  running: Promise<Effect> | undefined
}

interface Orderer {
  readonly by: string
  /** W3C `traceparent` of the span it is ordered in. */
  readonly trace?: string
}

export interface FireParts {
  readonly ledger: Ledger
  readonly recorder: Pick<Recorder, 'note'>
  /** Kills the target and records what died. */
  readonly revoke: (target: RevocationTarget, reason: string, who: Orderer) => Promise<unknown>
  readonly telemetry?: Telemetry
}

const MAX_EVIDENCE = 20

/** What the effect falls on: a trigger that names no grant falls on the task, one that names neither on nothing. */
export function targetOf({ trigger, clientId, txn, jti }: Fired): RevocationTarget | undefined {
  if (trigger.effect === 'quarantine-agent') return { kind: 'agent', clientId }
  if (trigger.effect === 'revoke-grant' && jti !== undefined) return { kind: 'grant', jti }
  return txn === undefined ? undefined : { kind: 'task', txn }
}

/** Acts on what fired. A ledger that does not answer throws, and it is tried again. */
export async function fire(parts: FireParts, due: DueTrigger): Promise<'done' | 'moot'> {
  const { fired } = due
  const target = targetOf(fired)
  if (target === undefined) return 'moot'
  const held = await holding(parts.ledger, fired)
  if (held.length < fired.evidence.length) {
    fired.restore?.(held)
    return 'moot'
  }
  await underSpan(parts.telemetry, fired, async (trace) => {
    if (!due.isTold) tell(parts.recorder, fired, trace)
    due.isTold = true
    const who = { by: `trigger:${fired.trigger.on}`, ...(trace === undefined ? {} : { trace }) }
    await parts.revoke(target, fired.trigger.on, who)
  })
  return 'done'
}

async function underSpan(
  telemetry: Telemetry | undefined,
  { trigger, clientId, txn, jti }: Fired,
  work: (trace: string | undefined) => Promise<void>,
): Promise<void> {
  if (telemetry === undefined) return work(undefined)
  const span = telemetry.span('hallpass.trigger', {
    attributes: {
      'hallpass.trigger': trigger.on,
      'gen_ai.agent.id': clientId,
      'hallpass.task.id': txn,
      'hallpass.grant.id': jti,
    },
  })
  try {
    await span.run(() => work(span.traceparent))
  } finally {
    span.end()
  }
}

/** The trail hears of it first, with the evidence; should the trail be down it hears later, and the end comes anyway. */
function tell(recorder: FireParts['recorder'], fired: Fired, trace: string | undefined): void {
  const { trigger, clientId, txn, jti, evidence, detail } = fired
  const { on, effect, ...bounds } = trigger
  const facts: Partial<AuditEvent> = {
    client_id: clientId,
    ...(txn === undefined ? {} : { txn }),
    ...(jti === undefined ? {} : { jti }),
    ...(detail === undefined ? {} : { detail }),
    ...(trace === undefined ? {} : { trace }),
  }
  recorder.note('trigger.fired', {
    ...facts,
    reason: on,
    count: evidence.length,
    data: {
      effect,
      bounds: bounds as unknown as JsonObject,
      events: evidence.slice(-MAX_EVIDENCE).map(({ event }) => event),
    },
  })
}

/**
 * An API reports what happened at its own door, and it could name anybody. What it reports counts only for grants that
 * this ledger knows to be that agent's, for that API.
 */
async function holding(ledger: Ledger, { clientId, evidence }: Fired): Promise<readonly Evidence[]> {
  const held: Evidence[] = []
  for (const one of evidence) {
    const grant = one.isReported && one.jti !== undefined ? await ledger.grant(one.jti) : undefined
    if (!one.isReported || (grant?.clientId === clientId && grant.audience === one.aud)) held.push(one)
  }
  return held
}
