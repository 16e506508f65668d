import type { RefusalReason, Refused } from '@hallpass/core'
import { ok, refuse } from '@hallpass/core'
import { joined } from '../body/read-limited.ts'
import type { BodyReader } from '../request/incoming-call.ts'
import type { NodeRequest } from './node-message.ts'

const TOO_LARGE: Refused<RefusalReason> = refuse('body-too-large')
const LATE: Refused<RefusalReason> = refuse('body-timeout')
const BROKEN: Refused<RefusalReason> = refuse('request-malformed', 'The body did not arrive')

/**
 * Whether a request announces a body. Chunks go before a length: a lax parser takes both. HTTP/2 says it in the frame of
 * the headers.
 */
export function announcesBody(request: NodeRequest): boolean {
  // Nothing is read that is not needed: under Express each read of a request's property is a slow one.
  if (request.httpVersionMajor > 1) return request.stream?.endAfterHeaders !== true
  const { headers } = request
  if (headers['transfer-encoding'] !== undefined) return true
  const length = headers['content-length']
  return length !== undefined && length !== '0'
}

/**
 * Reads the raw body of a Node request. Refuses an announced length over the limit unread, and stops in the middle of a
 * body that grows past it, whose sender goes away or is too slow.
 */
export const nodeBodyReader =
  (request: NodeRequest): BodyReader =>
  (limitBytes, timeoutMs) => {
    if (Number(request.headers['content-length'] ?? 0) > limitBytes) return TOO_LARGE
    // Whoever is gone already says so no second time.
    if (request.destroyed === true) return BROKEN
    return new Promise((resolve) => {
      const chunks: Uint8Array[] = []
      let size = 0
      const finish = (result: Awaited<ReturnType<BodyReader>>) => {
        request.removeListener('data', onData)
        request.removeListener('end', onEnd)
        request.removeListener('close', onBroken)
        request.removeListener('error', onBroken)
        clearTimeout(timer)
        resolve(result)
      }
      const onData = (chunk: Uint8Array) => {
        size += chunk.length
        if (size <= limitBytes) {
          chunks.push(chunk)
          return
        }
        request.pause()
        finish(TOO_LARGE)
      }
      const onEnd = () => finish(ok(size === 0 ? undefined : joined(chunks, size)))
      const onBroken = () => finish(BROKEN)
      const timer = setTimeout(() => {
        request.pause()
        finish(LATE)
      }, timeoutMs)
      request.on('end', onEnd)
      request.on('close', onBroken)
      request.on('error', onBroken)
      request.on('data', onData)
    })
  }
