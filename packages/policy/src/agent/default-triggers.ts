import type { NonEmpty } from './agent.ts'
import type { Trigger } from './trigger.ts'

/** Triggers for an agent nobody thought about in particular. */
export const defaultTriggers: NonEmpty<Trigger> = Object.freeze([
  { on: 'refused-requests', count: 20, windowSeconds: 60, effect: 'end-task' },
  { on: 'out-of-scope', count: 3, windowSeconds: 60, effect: 'end-task' },
  { on: 'proof-replayed', count: 2, windowSeconds: 60, effect: 'end-task' },
  { on: 'used-after-end', count: 3, windowSeconds: 60, effect: 'quarantine-agent' },
  { on: 'inactivity', seconds: 900, effect: 'end-task' },
] as const satisfies NonEmpty<Trigger>)
