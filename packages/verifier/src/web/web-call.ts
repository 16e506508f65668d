import type { RefusalReason, Refused } from '@hallpass/core'
import { ok, refuse } from '@hallpass/core'
import { readLimited } from '../body/read-limited.ts'
import type { Answer } from '../refusal/answer.ts'
import type { BodyReader, IncomingCall } from '../request/incoming-call.ts'

const TOO_LARGE: Refused<RefusalReason> = refuse('body-too-large')
const LATE: Refused<RefusalReason> = refuse('body-timeout')
const USED: Refused<RefusalReason> = refuse('request-malformed', 'The body was read before the guard')
const BROKEN: Refused<RefusalReason> = refuse('request-malformed', 'The body did not arrive')

/** A web `Request` as plain data. Its target is path and query of the URL; the host in it is never looked at. */
export function webCall(request: Request, route?: Readonly<Record<string, string>>): IncomingCall {
  const call = { method: request.method, target: request.url, headers: request.headers }
  return {
    ...call,
    ...(route === undefined ? {} : { route }),
    ...(request.body === null ? {} : { body: bodyReader(request) }),
  }
}

const bodyReader =
  (request: Request): BodyReader =>
  async (limitBytes, timeoutMs) => {
    if (request.bodyUsed || request.body === null) return USED
    const late = new AbortController()
    const timer = setTimeout(() => late.abort(), timeoutMs)
    try {
      const bytes = await readLimited(request, limitBytes, late.signal)
      return bytes === undefined ? TOO_LARGE : ok(bytes.length === 0 ? undefined : bytes)
    } catch {
      return late.signal.aborted ? LATE : BROKEN
    } finally {
      clearTimeout(timer)
    }
  }

/** An answer as a web `Response`. */
export const webResponse = ({ status, headers, body }: Answer): Response =>
  new Response(body === '' || status === 204 || status === 304 ? null : body, { status, headers: { ...headers } })
