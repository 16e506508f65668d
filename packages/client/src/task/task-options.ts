import type { Ceiling } from '@hallpass/core'

/** On whose behalf the task runs: a token of that user, verified by the broker. */
export interface SubjectToken {
  readonly token: string
  readonly type: 'id_token' | 'access_token' | 'jwt'
}

/** What a task is for, and how far it may go at most. */
export interface TaskOptions<Purpose extends string = string> {
  /** Purpose id from the policy. */
  readonly purpose: Purpose
  /** Free text of at most 256 characters that no rule reads. */
  readonly note?: string
  /** Narrows what the task may touch. */
  readonly ceiling?: Ceiling
  /** Seconds from now after which the task is over. */
  readonly deadlineSeconds?: number
  readonly onBehalfOf?: SubjectToken
  /** Cancels the task and every call in it. */
  readonly signal?: AbortSignal
}
