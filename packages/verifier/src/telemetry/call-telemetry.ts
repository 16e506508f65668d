import type { MaybePromise, RefusalReason, Telemetry } from '@hallpass/core'
import type { Observer } from '../audit/observer.ts'
import type { Attempt } from '../flow/attempt.ts'
import { chain } from '../flow/chain.ts'
import type { Conclude } from '../flow/conclude.ts'
import { problemOf } from '../refusal/problem.ts'
import type { Verdict } from '../verdict.ts'
import { claimedParent } from './claimed-parent.ts'
import { TracedCall } from './traced-call.ts'

/** Tells a telemetry of each guarded call: one span, one count, one duration. */
export interface CallTelemetry {
  begin(attempt: Attempt): Attempt
  /** Does a part of the call's work with its span active. */
  within<T>(attempt: Attempt, work: () => T): T
  /** Ends the span with what came of the call. */
  concluding(conclude: Conclude): Conclude
  /** Counts how uses ended, and tells the next observer. */
  observing(next: Observer | undefined): Observer
}

export function callTelemetry(telemetry: Telemetry, audience: string): CallTelemetry {
  const ended = (attempt: Attempt, verdict: Verdict): void => {
    const { planned, traced } = attempt
    const reason = 'reason' in verdict ? verdict.reason : undefined
    const of = { 'hallpass.audience': audience, 'hallpass.action': planned.name, 'hallpass.verdict': verdict.kind }
    const seconds = traced?.end({ ...idsOf(attempt, verdict), ...outcomeOf(verdict, reason) })
    telemetry.count('hallpass.verifications', 1, { ...of, 'hallpass.reason': reason })
    if (seconds !== undefined) telemetry.duration('hallpass.verify.duration', seconds, of)
  }

  return {
    begin(attempt) {
      const { call, planned } = attempt
      const span = telemetry.span('hallpass.verify', {
        parent: claimedParent(call),
        remote: true,
        attributes: { 'hallpass.audience': audience, 'hallpass.action': planned.name },
      })
      attempt.traced = new TracedCall(span)
      return attempt
    },
    within: ({ traced }, work) => (traced === undefined ? work() : traced.span.run(work)),
    concluding: (conclude) => (attempt, refusal, rollout) =>
      chain(conclude(attempt, refusal, rollout), (verdict): MaybePromise<Verdict> => {
        ended(attempt, verdict)
        return verdict
      }),
    observing: (next) => (observation) => {
      const { kind, action } = observation
      const of = { 'hallpass.audience': audience, 'hallpass.action': action, 'hallpass.outcome': kind }
      telemetry.count('hallpass.uses', 1, of)
      next?.(observation)
    },
  }
}

const outcomeOf = ({ kind }: Verdict, reason: RefusalReason | undefined) => ({
  'hallpass.verdict': kind,
  'hallpass.reason': reason,
  // A refusal is this span's work well done; only what could not be verified went wrong.
  'error.type': reason !== undefined && problemOf(reason).status >= 500 ? reason : undefined,
})

/** Ids of a grant only where its token proved genuine. */
function idsOf({ token, callId }: Attempt, verdict: Verdict) {
  const claims = token?.claims
  return {
    'hallpass.event.id': verdict.kind === 'admitted' ? verdict.grant.event : verdict.event,
    'hallpass.grant.id': claims?.jti,
    'hallpass.task.id': claims?.txn,
    'gen_ai.agent.id': claims?.client_id,
    'gen_ai.tool.call.id': callId,
  }
}
