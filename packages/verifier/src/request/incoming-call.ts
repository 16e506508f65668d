import type { MaybePromise, RefusalReason, Result } from '@hallpass/core'

/** The two methods of a web `Headers` that a verifier needs. */
export interface FieldLookup {
  get(name: string): string | null
}

/**
 * Reads the raw body once, or says why it cannot. No bytes is no body: `undefined`.
 * @param timeoutMs how long the whole of it may take to arrive.
 */
export type BodyReader = (
  limitBytes: number,
  timeoutMs: number,
) => MaybePromise<Result<Uint8Array | undefined, RefusalReason>>

/** One request as plain data. Every door translates its framework's request into this and does nothing else. */
export interface IncomingCall {
  readonly method: string
  /** The request target as it was received (`req.originalUrl`). An authority in it is dropped, never believed. */
  readonly target: string
  /** Node's `rawHeaders` (name, value, name, value: repeated fields can be seen), or a web `Headers`. */
  readonly headers: readonly string[] | FieldLookup
  /** Route parameters as the handler will see them, decoded once. Absent: read off the path by the action's own template. */
  readonly route?: Readonly<Record<string, string>>
  /** Fixed path that the app's mounts put before the action's own, beside the one in `publicUrl`: `/v1`. Default none. */
  readonly mount?: string
  /** Absent where the request has no body. Called at most once, and only after the token proved genuine. */
  readonly body?: BodyReader
}
