import type { RefusalReason, Refused } from '@hallpass/core'
import { ok, refuse } from '@hallpass/core'
import { joined } from '../body/read-limited.ts'
import type { BodyReader } from '../request/incoming-call.ts'
import type { NodeRequest } from './node-message.ts'

const TOO_LARGE: Refused<RefusalReason> = refuse('body-too-large')
const BROKEN: Refused<RefusalReason> = refuse('request-malformed', 'The body did not arrive')

/** Whether a request announces a body. On HTTP/2 only reading tells. */
export function announcesBody({ headers, httpVersionMajor }: NodeRequest): boolean {
  const length = headers['content-length']
  if (length !== undefined) return length !== '0'
  return headers['transfer-encoding'] !== undefined || httpVersionMajor > 1
}

/**
 * Reads the raw body of a Node request. Refuses an announced length over the limit unread, and stops in the middle of a
 * body that grows past it or whose sender goes away.
 */
export const nodeBodyReader =
  (request: NodeRequest): BodyReader =>
  (limitBytes) => {
    if (Number(request.headers['content-length'] ?? 0) > limitBytes) return TOO_LARGE
    return new Promise((resolve) => {
      const chunks: Uint8Array[] = []
      let size = 0
      const finish = (result: Awaited<ReturnType<BodyReader>>) => {
        request.removeListener('data', onData)
        request.removeListener('end', onEnd)
        request.removeListener('close', onBroken)
        request.removeListener('error', onBroken)
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
      request.on('end', onEnd)
      request.on('close', onBroken)
      request.on('error', onBroken)
      request.on('data', onData)
    })
  }
