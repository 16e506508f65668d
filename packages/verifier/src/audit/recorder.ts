import type {
  AuditEvent,
  AuditSink,
  Digester,
  EventType,
  JsonValue,
  MaybePromise,
  Outcome,
  RefusalReason,
} from '@hallpass/core'
import { CLAIM, isPromise } from '@hallpass/core'
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

/** Creates the recorder. Its events name ids, never a token, proof, key or parameter value. */
export function createRecorder(options: RecorderOptions): Recorder {
  const { audit, source, audience, digest, tally, standingOf, nextId } = options
  const base = (type: EventType, attempt: Attempt, id: string): Writable<AuditEvent> => {
    const { token, now: time, planned, resource, proof, callId } = attempt
    if (token === undefined) return { id, type, time, source, aud: audience, action: planned.name }
    const { claims } = token
    // One literal in the order events are written in: this runs twice for every request.
    const event: Writable<AuditEvent> = {
      id,
      type,
      time,
      source,
      txn: claims.txn,
      jti: claims.jti,
      client_id: claims.client_id,
      sub: claims.sub,
      owner: claims[CLAIM.path].owner,
      aud: audience,
      action: planned.name,
    }
    if (resource !== '') event.resource = resource
    // The key is named only where it was proven: triggers count nothing else.
    if (proof !== undefined) event.jkt = proof.jkt
    if (callId !== undefined) event.call_id = callId
    return event
  }

  // Either comes once per use, and its start has an id nobody else has.
  const follow = (type: 'use.ended' | 'use.given-back', attempt: Attempt, now: number): Writable<AuditEvent> => {
    const event = base(type, attempt, `${attempt.event}${type === 'use.ended' ? '-ended' : '-back'}`)
    event.time = now
    event.follows = attempt.event
    return event
  }

  return {
    started(attempt) {
      const event = base('use.started', attempt, attempt.event)
      if (hasMembers(attempt.raw)) event.parameters = digest(attempt.raw)
      return audit.append(event)
    },
    ended(attempt, outcome, now) {
      const event = follow('use.ended', attempt, now)
      event.status = outcome.status
      if (outcome.status === 499) event.reason = 'aborted'
      return audit.append(event)
    },
    givenBack(attempt, reason, now) {
      const event = follow('use.given-back', attempt, now)
      event.detail = reason.slice(0, 256)
      return audit.append(event)
    },
    repeated(attempt, follows) {
      const event = base('use.repeated', attempt, attempt.event)
      event.follows = follows
      return audit.append(event)
    },
    passed(attempt, reason, why) {
      const event = base('use.passed', attempt, attempt.event)
      event.reason = reason
      event.detail = why
      return audit.append(event)
    },
    refused(attempt, reason, detail) {
      const standing = standingOf(attempt, reason)
      if (standing === 'nothing') return tally.note(reason, attempt.now)
      const event = base('use.refused', attempt, attempt.event === '' ? nextId() : attempt.event)
      if (standing !== 'fresh') delete event.jkt
      event.reason = reason
      if (detail !== undefined) event.detail = detail
      try {
        const appended = audit.append(event)
        if (isPromise(appended)) appended.catch(() => tally.note(reason, attempt.now))
        return event.id
      } catch {
        return tally.note(reason, attempt.now)
      }
    },
  }
}

type Writable<T> = { -readonly [M in keyof T]: T[M] }

function hasMembers(value: JsonValue): boolean {
  for (const _ in value as object) return true
  return false
}
