import type { EventFacts } from '../audit/recorder.ts'

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
  facts: EventFacts
}

export const newAttempt = (): Attempt => ({ standing: 'unknown', facts: {} })

type Learnt = { readonly [Name in keyof EventFacts]?: EventFacts[Name] | undefined }

/** Adds what has become known; members without a value are left out. */
export function learn(attempt: Attempt, facts: Learnt): void {
  const known = Object.entries(facts).filter(([, value]) => value !== undefined)
  Object.assign(attempt.facts, Object.fromEntries(known))
}
