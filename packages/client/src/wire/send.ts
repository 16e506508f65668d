import type { Result } from '@hallpass/core'
import { ok, refuse } from '@hallpass/core'

export type Fetch = (request: Request) => Promise<Response>

export interface Patience {
  readonly timeoutMs: number
  /** The caller gives up. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Does one piece of work and waits at most so long, whether or not the work listens to signals.
 *
 * @param work gets a signal that fires at the time limit or when the caller gives up, and never after the work is done:
 *   a response body that is read later is not cut off by it.
 * @returns what the work returned, or `unavailable` when it failed or took too long.
 * @throws the reason of `signal` when the caller gave up.
 */
export async function within<T>(
  { timeoutMs, signal }: Patience,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<Result<T, 'unavailable'>> {
  signal?.throwIfAborted()
  const stop = new AbortController()
  const abort = () => stop.abort()
  const stopped = new Promise<never>((_resolve, reject) => {
    stop.signal.addEventListener('abort', () => reject(new Error('stopped')), { once: true })
  })
  const timer = setTimeout(abort, timeoutMs)
  signal?.addEventListener('abort', abort, { once: true })
  try {
    return ok(await Promise.race([work(stop.signal), stopped]))
  } catch {
    // Only what the caller asked for is thrown. The cause stays here: it may quote the request.
    signal?.throwIfAborted()
    return refuse('unavailable')
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', abort)
  }
}
