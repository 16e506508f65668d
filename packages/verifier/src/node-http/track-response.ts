import { joined } from '../body/read-limited.ts'
import { outcomeOf } from '../use/outcome-of-response.ts'
import type { Use } from '../use/use.ts'
import { ABORTED, MAX_OUTCOME_BYTES } from '../use/use.ts'
import type { NodeResponse } from './node-message.ts'

/**
 * Settles a use with what its handler answers. A connection that closes before the handler ended its response is an
 * aborted use; where a retry may ask for the outcome, the handler's own end is waited for instead, since that is what
 * the retry wants to know.
 */
export function trackResponse(use: Pick<Use, 'keepsOutcome' | 'settle'>, response: NodeResponse): void {
  if (use.keepsOutcome) {
    keepOutcome(use, response)
    return
  }
  // Both come where all went well, and the first one counts. `once` would wrap each to say so a second time.
  const settle = () => void use.settle(response.writableEnded ? { status: sentStatus(response) } : ABORTED)
  response.on('finish', settle)
  response.on('close', settle)
}

/**
 * The status that went out: `statusCode` may still be written to behind it. Node keeps the head of a response as text,
 * and in HTTP/2 as fields.
 */
function sentStatus(response: NodeResponse): number {
  const { _header: head, stream } = response as NodeResponse & Sent
  if (typeof head === 'string') return Number(head.slice(9, 12))
  return stream?.sentHeaders?.[':status'] ?? response.statusCode
}

interface Sent {
  readonly _header?: unknown
  readonly stream?: { readonly sentHeaders?: { readonly ':status'?: number } }
}

type Write = (this: NodeResponse, ...given: readonly unknown[]) => unknown

/** Looks over the handler's shoulder at what it writes, up to the size that is kept. */
function keepOutcome(use: Pick<Use, 'settle'>, response: NodeResponse): void {
  const chunks: Uint8Array[] = []
  let size = 0
  const keep = (chunk: unknown, encoding: unknown): void => {
    if (typeof chunk !== 'string' && !(chunk instanceof Uint8Array)) return
    // Bytes of the very encoding they were written in: another one is not kept rather than kept wrong.
    const isUtf8 = typeof encoding !== 'string' || /^utf-?8$/i.test(encoding)
    const bytes = typeof chunk === 'string' ? new TextEncoder().encode(chunk) : chunk
    size += isUtf8 ? bytes.length : Number.POSITIVE_INFINITY
    if (size <= MAX_OUTCOME_BYTES) chunks.push(bytes)
  }
  const write = response.write as Write
  const end = response.end as Write
  const writeHead = response.writeHead as (this: NodeResponse, ...given: unknown[]) => unknown
  let written: unknown
  // Headers that only go through writeHead are never seen by getHeader.
  response.writeHead = function keptHead(this: NodeResponse, ...given: unknown[]) {
    written = given.findLast((value) => typeof value === 'object')
    return writeHead.apply(this, given)
  }
  const headerOf = (name: string) => response.getHeader(name) ?? headerIn(written, name)
  response.write = function keptWrite(this: NodeResponse, ...given: Parameters<Write>) {
    keep(given[0], given[1])
    return write.apply(this, given)
  }
  response.end = function keptEnd(this: NodeResponse, ...given: Parameters<Write>) {
    keep(given[0], given[1])
    const ended = end.apply(this, given)
    const type = headerOf('content-type')
    const whole = size <= MAX_OUTCOME_BYTES && headerOf('content-encoding') === undefined
    void use.settle(
      outcomeOf(
        response.statusCode,
        typeof type === 'string' ? type : undefined,
        whole ? joined(chunks, size) : undefined,
      ),
    )
    return ended
  }
}

function headerIn(headers: unknown, name: string): unknown {
  if (typeof headers !== 'object' || headers === null) return undefined
  const pairs = Array.isArray(headers) ? inPairs(headers) : Object.entries(headers)
  return pairs.find(([key]) => String(key).toLowerCase() === name)?.[1]
}

const inPairs = (flat: readonly unknown[]): (readonly [unknown, unknown])[] =>
  flat.flatMap((value, index) =>
    Array.isArray(value) ? [[value[0], value[1]] as const] : index % 2 === 0 ? [[value, flat[index + 1]] as const] : [],
  )
