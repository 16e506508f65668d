import type { Decision } from '../decision/decision.ts'

/** Why one rule did or did not take part. */
export interface RuleTrace {
  readonly rule: string
  readonly effect: 'permit' | 'deny' | 'approve'
  readonly outcome: 'matched' | 'not-matched' | 'failed'
  /** In words: `purpose is none of: triage`. */
  readonly why: string
  /** What a failed rule threw. Not enumerable: for the author's eyes, not for logs, since it may hold values. */
  readonly cause?: unknown
}

export interface Explanation {
  readonly decision: Decision
  /** Rules that name the action, in the order they were written. */
  readonly rules: readonly RuleTrace[]
  /** The whole of it as text, for people. */
  readonly text: string
}
