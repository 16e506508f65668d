import type { DETAIL_TYPE } from '../token/constants.ts'
import type { JsonValue } from '../json/value.ts'

/**
 * One counter a use is charged to. A use passes only if every counter of its grant still fits.
 * Counter keys: `grant` = (iss, jti), `task` = txn, `agent` = client_id (fixed windows on the ledger's clock).
 */
export interface Limit {
  /** Stable name inside its scope, such as `calls` or `total:refund.create:amount`; two grants that name it share it. */
  readonly id: string
  readonly per: 'grant' | 'task' | 'agent'
  /** Cap, a safe integer: uses, or units of `parameter` scaled by 10^scale. */
  readonly max: number
  /** For totals: the decimal parameter that is added up. Absent = each use counts 1. */
  readonly parameter?: string
  readonly scale?: number
  readonly unit?: string
  /** For `per: 'agent'`: length of the fixed window. */
  readonly window_seconds?: number
}

/** What one parameter may be where the grant does not fix it by digest. Unnamed parameters are refused (closed world). */
export type Constraint =
  | { readonly equals: JsonValue; readonly optional?: boolean }
  | { readonly one_of: readonly JsonValue[]; readonly optional?: boolean }
  | { readonly min?: string; readonly max?: string; readonly optional?: boolean } // decimals, never compared as strings
  | { readonly prefix: string; readonly optional?: boolean }
  | { readonly any: true; readonly optional?: boolean }

export type Constraints = Readonly<Record<string, Constraint>>

interface ToolCallBase {
  readonly type: typeof DETAIL_TYPE.toolCall
  /** The audience, one. */
  readonly locations: readonly [string]
  /** The action, one. */
  readonly actions: readonly [string]
  /** `order:123`, or a class `order:*` where policy allows one. */
  readonly identifier: string
  readonly limits: readonly Limit[]
}

/** RFC 9396 entry of a grant: exact parameters by digest, or closed-world constraints; never both, never neither. */
export type ToolCallEntry =
  | (ToolCallBase & { readonly parameter_digest: string; readonly constraints?: never })
  | (ToolCallBase & { readonly constraints: Constraints; readonly parameter_digest?: never })

/** What a client sends to ask for a grant: full parameters, replaced by the digest in the grant. */
export interface ToolCallRequest {
  readonly type: typeof DETAIL_TYPE.toolCall
  readonly locations: readonly [string]
  readonly actions: readonly [string]
  readonly identifier: string
  readonly parameters?: Readonly<Record<string, JsonValue>>
}

/** What the task may touch at most. Absent members do not narrow. */
export interface Ceiling {
  readonly actions?: readonly string[]
  /** Exact identifiers or classes `kind:*`. */
  readonly resources?: readonly string[]
}

/** RFC 9396 entry that opens a task. */
export interface TaskEntry {
  readonly type: typeof DETAIL_TYPE.task
  readonly purpose: string
  /** Free text of at most 256 characters that no rule reads. */
  readonly note?: string
  readonly ceiling?: Ceiling
  /** NumericDate; the task is over then. */
  readonly deadline?: number
}
