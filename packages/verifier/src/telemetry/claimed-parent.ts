import { parseTraceParent } from '@hallpass/core'
import type { IncomingCall } from '../request/incoming-call.ts'

const NAME = 'traceparent'

/** The `traceparent` that came with a request: a claim of its sender's. Undefined where it is malformed or stands twice. */
export function claimedParent({ headers }: Pick<IncomingCall, 'headers'>): string | undefined {
  if (!isRaw(headers)) return parseTraceParent(headers.get(NAME))
  let found: string | undefined
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] ?? ''
    if (name.length !== NAME.length || name.toLowerCase() !== NAME) continue
    if (found !== undefined) return undefined
    found = headers[index + 1] ?? ''
  }
  return parseTraceParent(found)
}

const isRaw = (headers: IncomingCall['headers']): headers is readonly string[] => Array.isArray(headers)
