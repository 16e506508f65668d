import type { WorkloadIdentity } from '@hallpass/core'
import type { Trigger } from './trigger.ts'

/** At least one. */
export type NonEmpty<T> = readonly [T, ...T[]]

/** What a policy's author writes for one agent; its key is the agent id and the OAuth `client_id`. */
export interface AgentInput<Purpose extends string = string> {
  /** The accountable person or team, such as `team:support`. */
  readonly owner: string
  readonly identity: WorkloadIdentity
  /** Who may approve what this agent asks, unless the rule names others. */
  readonly approvers: NonEmpty<string>
  readonly revokeOn: NonEmpty<Trigger>
  /** Default 4. */
  readonly maxOpenTasks?: number
  /** Longest deadline a task may have, in seconds. Default 3600. */
  readonly maxTaskSeconds?: number
  /** Purposes this agent may work for. Absent = every purpose of the policy. */
  readonly purposes?: readonly Purpose[]
}

/** One agent of a policy, checked, with its defaults filled in. */
export interface AgentRegistration {
  readonly id: string
  readonly owner: string
  readonly identity: WorkloadIdentity
  readonly approvers: NonEmpty<string>
  readonly revokeOn: NonEmpty<Trigger>
  readonly maxOpenTasks: number
  readonly maxTaskSeconds: number
  readonly purposes: readonly string[]
}
