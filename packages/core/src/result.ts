/** What an expected refusal looks like: a value, never a throw. */
export interface Refused<R extends string = string> {
  readonly ok: false
  readonly reason: R
  /** One sentence for the operator. Never a token, proof, key or parameter value. */
  readonly detail?: string
}

export interface Ok<T> {
  readonly ok: true
  readonly value: T
}

export type Result<T, R extends string = string> = Ok<T> | Refused<R>

export const ok = <T>(value: T): Ok<T> => ({ ok: true, value })

export const refuse = <R extends string>(reason: R, detail?: string): Refused<R> =>
  detail === undefined ? { ok: false, reason } : { ok: false, reason, detail }

/** A port may answer at once (memory) or later (network); the hot path awaits only what is a promise. */
export type MaybePromise<T> = T | Promise<T>

export const isPromise = <T>(value: MaybePromise<T>): value is Promise<T> =>
  typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
