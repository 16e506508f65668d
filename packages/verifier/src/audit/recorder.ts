import type { AuditSink, Digester, EventType, JsonValue, MaybePromise, Outcome, RefusalReason } from '@hallpass/core'
import { CLAIM, EventStem, UseEvent, isPromise } from '@hallpass/core'
import type { Attempt } from '../flow/attempt.ts'
import type { createRefusalStanding } from './refusal-standing.ts'
import type { RefusalTally } from './refusal-tally.ts'

export interface RecorderOptions {
  readonly audit: AuditSink
  /** `verifier:<audience>#<instance>`. */
  readonly source: string
  readonly audience: string
  readonly digest: Digester
  readonly tally: RefusalTally
  readonly standingOf: ReturnType<typeof createRefusalStanding>
  readonly nextId: () => string
}

/** Writes what happened at one verifier to its trail. */
export interface Recorder {
  /** Before the handler runs. What this cannot record must not run. */
  started(attempt: Attempt): MaybePromise<void>
  ended(attempt: Attempt, outcome: Outcome, now: number): MaybePromise<void>
  givenBack(attempt: Attempt, reason: string, now: number): MaybePromise<void>
  /** Before the first answer is given again. */
  repeated(attempt: Attempt, follows: string): MaybePromise<void>
  /** Before a request is let through unverified. */
  passed(attempt: Attempt, reason: RefusalReason, why: string): MaybePromise<void>
  /** Returns the id of the event that explains the refusal. Never fails: a refusal stays one. */
  refused(attempt: Attempt, reason: RefusalReason, detail: string | undefined): string
}

/**
 * Ledger or trail did not answer, so what they were asked may stand all the same, on record under the id of the attempt.
 * The refusal is another fact: under that id, whoever takes each id once would drop one of the two.
 */
const UNHEARD: ReadonlySet<RefusalReason> = new Set<RefusalReason>(['ledger-unavailable', 'audit-unavailable'])

/** Creates the recorder. Its events name ids, never a token, proof, key or parameter value. */
export function createRecorder(options: RecorderOptions): Recorder {
  const { audit, source, audience, digest, tally, standingOf, nextId } = options
  const whole = ({ token, planned, resource }: Attempt): EventStem => {
    const claims = token?.claims
    return new EventStem({
      source,
      txn: claims?.txn,
      jti: claims?.jti,
      client_id: claims?.client_id,
      sub: claims?.sub,
      owner: claims?.[CLAIM.path].owner,
      aud: audience,
      action: planned.name,
      resource: resource === '' ? undefined : resource,
    })
  }

  // A call that was covered before has the facts of that one; before it is covered it has no resource.
  const stemOf = (attempt: Attempt): EventStem => {
    const { known, resource } = attempt
    return known?.resource === resource ? (known.facts ??= whole(attempt)) : whole(attempt)
  }

  const base = (type: EventType, attempt: Attempt, id: string): UseEvent => {
    const { proof, now: time, callId, traced } = attempt
    const event = new UseEvent(type, stemOf(attempt), { id, time })
    // The key is named only where it was proven: triggers count nothing else.
    if (proof !== undefined) event.jkt = proof.jkt
    event.call_id = callId
    if (traced !== undefined) event.trace = traced.traceparent
    return event
  }

  // Either comes once per use, and its start has an id nobody else has. By which key it was made, the start says.
  const follow = (type: 'use.ended' | 'use.given-back', attempt: Attempt, time: number): UseEvent => {
    const id = `${attempt.event}${type === 'use.ended' ? '-ended' : '-back'}`
    const event = new UseEvent(type, stemOf(attempt), { id, time })
    event.call_id = attempt.callId
    if (attempt.traced !== undefined) event.trace = attempt.traced.traceparent
    event.follows = attempt.event
    return event
  }

  return {
    started(attempt) {
      const event = base('use.started', attempt, attempt.event)
      if (hasMembers(attempt.raw)) event.parameters = digest(attempt.raw)
      return audit.append(event.event)
    },
    ended(attempt, outcome, now) {
      const event = follow('use.ended', attempt, now)
      event.status = outcome.status
      if (outcome.status === 499) event.reason = 'aborted'
      return audit.append(event.event)
    },
    givenBack(attempt, reason, now) {
      const event = follow('use.given-back', attempt, now)
      event.detail = reason.slice(0, 256)
      return audit.append(event.event)
    },
    repeated(attempt, follows) {
      const event = base('use.repeated', attempt, attempt.event)
      event.follows = follows
      return audit.append(event.event)
    },
    passed(attempt, reason, why) {
      const event = base('use.passed', attempt, attempt.event)
      event.reason = reason
      event.detail = why
      return audit.append(event.event)
    },
    refused(attempt, reason, detail) {
      const standing = standingOf(attempt, reason)
      if (standing === 'nothing') return tally.note(reason, attempt.now)
      const mayBeUsed = UNHEARD.has(reason) && attempt.event !== ''
      const ownId = mayBeUsed ? `${attempt.event}-refused` : attempt.event
      const event = base('use.refused', attempt, ownId === '' ? nextId() : ownId)
      if (mayBeUsed) event.follows = attempt.event
      if (standing !== 'fresh') event.jkt = undefined
      event.reason = reason
      if (detail !== undefined) event.detail = detail
      try {
        const appended = audit.append(event.event)
        if (isPromise(appended)) appended.catch(() => tally.note(reason, attempt.now))
        return event.id
      } catch {
        return tally.note(reason, attempt.now)
      }
    },
  }
}

function hasMembers(value: JsonValue): boolean {
  for (const _ in value as object) return true
  return false
}
