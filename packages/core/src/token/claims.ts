import type { TaskEntry, ToolCallEntry } from '../grant/entry.ts'
import type { JsonObject } from '../json/value.ts'
import type { CLAIM } from './constants.ts'

export interface Confirmation {
  readonly jkt: string
}

interface AccessTokenClaims {
  readonly iss: string
  readonly sub: string
  readonly aud: string
  readonly client_id: string
  readonly iat: number
  readonly exp: number
  readonly jti: string
  readonly txn: string
  readonly act?: { readonly sub: string; readonly iss: string }
  readonly [CLAIM.onBehalfOf]?: { readonly iss: string; readonly sub: string; readonly tenant?: string }
  readonly [CLAIM.policy]: { readonly version: string; readonly digest: string }
  readonly [CLAIM.path]: {
    readonly tasks: readonly string[]
    readonly agents: readonly string[]
    readonly owner: string
  }
}

/** Claims of a grant (RFC 9068 profile). `cnf` is absent only where the API is registered to take unbound grants. */
export interface GrantClaims extends AccessTokenClaims {
  readonly cnf?: Confirmation
  readonly authorization_details: readonly [ToolCallEntry]
  readonly status: { readonly status_list: { readonly idx: number; readonly uri: string } }
}

/** Claims of a task token: `aud` is the broker, and only with its own key. */
export interface TaskTokenClaims extends AccessTokenClaims {
  readonly cnf: Confirmation
  readonly authorization_details: readonly [TaskEntry]
  /** `claims`: what else the workload's assertion said, for the policy. */
  readonly [CLAIM.identity]: { readonly iss: string; readonly sub: string; readonly claims?: JsonObject }
}
