import { PROBLEM_BASE } from '@hallpass/core'
import type { Refusal } from './refusal.ts'

/**
 * A refusal where a `Response` is wanted: RFC 9457, and never a status that reads as success.
 *
 * SDKs repeat a 5xx by themselves. That is welcome where nothing was done, and for a read; a write whose end is not
 * known gets 424, which nobody repeats.
 */
export function refusedResponse({ reason, message, retryable, event }: Refusal, isRead: boolean): Response {
  const status = statusOf(reason, { retryable, isRead })
  const body = {
    type: `${PROBLEM_BASE}refused`,
    title: message,
    status,
    reason,
    ...(event === undefined ? {} : { event }),
  }
  const headers = new Headers({ 'content-type': 'application/problem+json', 'cache-control': 'no-store' })
  if (status === 503) headers.set('retry-after', '1')
  return new Response(JSON.stringify(body), { status, headers })
}

function statusOf(reason: Refusal['reason'], { retryable, isRead }: { retryable: boolean; isRead: boolean }): number {
  if (reason === 'api-unavailable') return isRead ? 502 : 424
  if (reason === 'idempotency-running') return 409
  // The same grant never helps again; a new one may.
  if (reason === 'token-expired') return 401
  return retryable ? 503 : 403
}
