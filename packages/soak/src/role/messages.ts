import type { RevocationTarget } from '@hallpass/core'
import type { MemorySample } from '../world/records.ts'
import type { Place } from '../store/store.ts'

/**
 * Where a replica that was told so kills itself, so that the kill falls between reserve and settle, or
 * between the return of a use and its note. */
export type Death = 'after-redeem' | 'in-handler' | 'giving-back' | 'before-settle'

interface Common {
  readonly name: string
  readonly issuer: string
  /** Folder with the keys of agents and APIs. */
  readonly keys: string
  /** Folder for everything that is counted afterwards. */
  readonly records: string
}

/** One API that all replicas guard, or one for each of so many. */
export interface Apis {
  readonly replicas: number
  readonly isEachOnItsOwn: boolean
}

export interface BrokerTask extends Common {
  readonly role: 'broker'
  readonly port: number
  readonly place: Place
  readonly agents: readonly string[]
  readonly apis: Apis
  readonly signingKey: string
  readonly trail: string
}

export interface ReplicaTask extends Common {
  readonly role: 'replica'
  readonly port: number
  /** Where it counts; `own`: in its own memory, and it learns of revocations from the feed. */
  readonly counts: Place | 'at-broker' | 'own'
  /** Which API it guards, where each has one; undefined = the one of all. */
  readonly api: number | undefined
  /** The broker that keeps its events. */
  readonly brokerPort: number
  readonly spool: string
}

export interface AgentTask extends Common {
  readonly role: 'agent'
  readonly seed: number
  readonly replicas: readonly number[]
  readonly apis: Apis
  readonly workers: number
}

export type RoleTask = BrokerTask | ReplicaTask | AgentTask

/** What the run says to a process. */
export type Order =
  | { readonly kind: 'revoke' | 'resume'; readonly id: number; readonly target: RevocationTarget }
  | { readonly kind: 'step'; readonly seconds: number }
  /** Undefined: the process is not to kill itself after all. */
  | { readonly kind: 'die'; readonly where: Death | undefined }
  | { readonly kind: 'stop' }

/** What a process says to the run. */
export type Report =
  | { readonly kind: 'ready' | 'stopped' }
  | { readonly kind: 'failed'; readonly what: string }
  | { readonly kind: 'memory'; readonly sample: MemorySample }
  /** `at`: when the broker had acknowledged it, by the machine's clock. */
  | { readonly kind: 'acknowledged'; readonly id: number; readonly at: number }
  | { readonly kind: 'live'; readonly jti: string; readonly txn: string; readonly agent: string }
  | { readonly kind: 'spent'; readonly jti: string; readonly requests: number }
