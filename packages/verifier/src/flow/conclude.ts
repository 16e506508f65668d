import type { MaybePromise, RefusalReason, Refused } from '@hallpass/core'
import { isPromise } from '@hallpass/core'
import type { Recorder } from '../audit/recorder.ts'
import type { Observation, Observer } from '../audit/observer.ts'
import type { NonceSource } from '../proof/nonce-source.ts'
import type { Answers } from '../refusal/answers.ts'
import type { UseKeeper } from '../use/open-use.ts'
import { OpenUse } from '../use/open-use.ts'
import type { PassedCall, RefusedCall, RepeatedCall, Verdict } from '../verdict.ts'
import type { CheckedRollout } from '../rollout.ts'
import type { Attempt } from './attempt.ts'
import { RefusedVerdict } from './refused-verdict.ts'

export interface Conclusion {
  readonly recorder: Recorder
  readonly keeper: UseKeeper
  readonly answers: Answers
  readonly nonces: NonceSource | undefined
  readonly nextId: () => string
  readonly observe: Observer | undefined
}

/** Turns the end of an attempt into its verdict: a use, a refusal on record, a repeated answer, or a written exception. */
export type Conclude = (
  attempt: Attempt,
  refusal: Refused<RefusalReason> | undefined,
  rollout: CheckedRollout,
) => MaybePromise<Verdict>

export function createConclude(parts: Conclusion): Conclude {
  const { recorder, keeper, answers, nonces, nextId, observe } = parts

  const tell = (kind: Observation['kind'], attempt: Attempt, more: { event: string; reason?: RefusalReason }): void => {
    observe?.({ kind, action: attempt.planned.name, ...more })
  }

  const refused = (attempt: Attempt, refusal: Refused<RefusalReason>): RefusedCall => {
    const { reason } = refusal
    const event = recorder.refused(attempt, reason, refusal.detail)
    if (observe !== undefined) tell('refused', attempt, { event, reason })
    const nonce = reason === 'proof-nonce' ? nonces?.current(attempt.now) : undefined
    return new RefusedVerdict(attempt, refusal, { event, answers, nonce })
  }

  const onRecord = <V extends Verdict>(
    attempt: Attempt,
    record: () => MaybePromise<void>,
    verdict: V,
  ): MaybePromise<V | RefusedCall> => {
    const unrecorded = () => refused(attempt, { ok: false, reason: 'audit-unavailable' })
    const recorded = () => {
      const { kind, event } = verdict as unknown as { kind: Observation['kind']; event: string }
      tell(kind, attempt, { event })
      return verdict
    }
    try {
      const written = record()
      return isPromise(written) ? written.then(recorded, unrecorded) : recorded()
    } catch {
      return unrecorded()
    }
  }

  const repeated = (attempt: Attempt): MaybePromise<Verdict> | undefined => {
    const { repeats, event } = attempt
    if (repeats?.state !== 'done' || repeats.outcome.body === undefined) return undefined
    const { status, contentType, body } = repeats.outcome
    const headers = {
      'idempotency-replayed': 'true',
      'cache-control': 'no-store',
      ...(contentType === undefined ? {} : { 'content-type': contentType }),
    }
    const verdict: RepeatedCall = { kind: 'repeated', ok: false, event, answer: () => ({ status, headers, body }) }
    return onRecord(attempt, () => recorder.repeated(attempt, repeats.event), verdict)
  }

  const passed = (attempt: Attempt, by: PassedCall['by'], reason: RefusalReason): MaybePromise<Verdict> => {
    attempt.event = nextId()
    const verdict: PassedCall = { kind: 'passed', ok: false, by, reason, event: attempt.event, bytes: attempt.body }
    const why =
      by === 'or-else' ? 'No Hallpass credential; the old authentication decides' : 'Would be refused; observed only'
    return onRecord(attempt, () => recorder.passed(attempt, reason, why), verdict)
  }

  return (attempt, refusal, rollout) => {
    if (refusal === undefined) {
      if (observe !== undefined) tell('admitted', attempt, { event: attempt.event })
      return new OpenUse(keeper, attempt)
    }
    if (rollout.observing(attempt.now)) return passed(attempt, 'observe', refusal.reason)
    if (rollout.orElse && refusal.reason === 'credential-missing') return passed(attempt, 'or-else', refusal.reason)
    return repeated(attempt) ?? refused(attempt, refusal)
  }
}
