import type { AgentRegistration } from '@hallpass/policy'
import type { WorkloadIdentity } from '@hallpass/core'

/** A workload that may authenticate at the broker. */
export type Registrant =
  | {
      readonly kind: 'agent'
      readonly id: string
      readonly identity: WorkloadIdentity
      readonly agent: AgentRegistration
    }
  | { readonly kind: 'api'; readonly id: string; readonly identity: WorkloadIdentity; readonly audience: string }
  | { readonly kind: 'operator' | 'signaler'; readonly id: string; readonly identity: WorkloadIdentity }
