import { joined } from '../body/read-limited.ts'
import { outcomeOf } from '../use/outcome-of-response.ts'
import type { Use } from '../use/use.ts'
import { ABORTED, MAX_OUTCOME_BYTES } from '../use/use.ts'

/**
 * Puts a handler's response on record. The outcome is settled once the whole body was produced, so that a client which
 * went away before is told apart; a body that a retry may ask for is kept while it passes.
 */
export function finishResponse(use: Use, response: Response): Response {
  const { status, headers } = response
  const contentType = headers.get('content-type')
  const mayKeep = use.keepsOutcome && !headers.has('content-encoding')
  const settleWith = (body: Uint8Array | undefined) =>
    void use.settle(use.keepsOutcome ? outcomeOf(status, contentType, body) : { status })
  if (response.body === null) {
    settleWith(mayKeep ? new Uint8Array() : undefined)
    return response
  }
  const reader = response.body.getReader()
  const kept: Uint8Array[] = []
  let size = 0
  // One chunk ahead of the client, so that the end is seen when the handler produced it, not when somebody read it.
  const readAhead = async () => {
    const chunk = await reader.read()
    if (chunk.done) settleWith(mayKeep && size <= MAX_OUTCOME_BYTES ? joined(kept, size) : undefined)
    else if (mayKeep && (size += chunk.value.byteLength) <= MAX_OUTCOME_BYTES) kept.push(chunk.value)
    return chunk
  }
  let next = readAhead()
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await next
        if (done) {
          controller.close()
          return
        }
        next = readAhead()
        next.catch(() => undefined)
        controller.enqueue(value)
      } catch (error) {
        void use.settle({ status: 500 })
        controller.error(error)
      }
    },
    async cancel(reason) {
      void use.settle(ABORTED)
      await reader.cancel(reason)
    },
  })
  return new Response(body, { status, statusText: response.statusText, headers })
}
