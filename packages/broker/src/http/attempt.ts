import type { EventFacts } from '../audit/recorder.ts'
import type { TracedRequest } from '../telemetry/traced-request.ts'

/** What is known so far about one request, for the event that records how it went. */
export interface Attempt {
  /**
   * `unknown`: nobody is answerable for it, so its refusal is only counted.
   * `identified`: a workload's assertion holds, so its refusal is an event of its own.
   * `authenticated`: identity and key hold, so the caller is told the reason too.
   */
  standing: 'unknown' | 'identified' | 'authenticated'
  /** The task, once known: refused decisions count in its history. */
  txn?: string
  /** The caller that asked more often than it may. */
  paced?: string
  readonly learnt: (() => Learnt)[]
  /** Where somebody traces this request. */
  traced?: TracedRequest
}

type Learnt = { readonly [Name in keyof EventFacts]?: EventFacts[Name] | undefined }

export const newAttempt = (): Attempt => ({ standing: 'unknown', learnt: [] })

/** Adds what has become known; worked out only when the request is refused. */
export function learn(attempt: Attempt, facts: () => Learnt): void {
  attempt.learnt.push(facts)
}

/** Everything learnt, the latest word on each member; members without a value are left out. */
export function factsOf({ learnt }: Attempt): EventFacts {
  const all: Learnt = Object.assign({}, ...learnt.map((facts) => facts()))
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as EventFacts
}

/** The span this request is answered in, as a member of an event. */
export const traceOf = ({ traced }: Pick<Attempt, 'traced'>): { readonly trace?: string } =>
  traced?.traceparent === undefined ? {} : { trace: traced.traceparent }
