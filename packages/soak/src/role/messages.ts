import type { RevocationTarget } from '@hallpass/core'
import type { MemorySample } from '../world/records.ts'
import type { Place } from '../store/store.ts'

/** Where a replica that was told so kills itself, so that the kill falls between reserve and settle. */
export type Death = 'after-redeem' | 'in-handler' | 'before-settle'

interface Common {
  readonly name: string
  readonly issuer: string
  /** Folder with the keys of agents and APIs. */
  readonly keys: string
  /** Folder for everything that is counted afterwards. */
  readonly records: string
}

export interface BrokerTask extends Common {
  readonly role: 'broker'
  readonly port: number
  readonly place: Place
  readonly agents: readonly string[]
  readonly signingKey: string
  readonly trail: string
}

export interface ReplicaTask extends Common {
  readonly role: 'replica'
  readonly port: number
  /** Undefined: it asks the broker. */
  readonly place: Place | undefined
  /** The broker that keeps its events. */
  readonly brokerPort: number
  readonly spool: string
}

export interface AgentTask extends Common {
  readonly role: 'agent'
  readonly seed: number
  readonly replicas: readonly number[]
  readonly workers: number
}

export type RoleTask = BrokerTask | ReplicaTask | AgentTask

/** What the run says to a process. */
export type Order =
  | { readonly kind: 'revoke' | 'resume'; readonly id: number; readonly target: RevocationTarget }
  | { readonly kind: 'step'; readonly seconds: number }
  | { readonly kind: 'die'; readonly where: Death }
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
