import { decodeBase64url, encodeBase64url } from '#crypto'
import type { RefusalReason } from '../reason.ts'
import type { Result } from '../result.ts'
import { ok, refuse } from '../result.ts'

/** Statuses of the Token Status List registry that this project gives a meaning. */
export const STATUS = { valid: 0, invalid: 1, suspended: 2 } as const

export type StatusBits = 1 | 2 | 4 | 8

/** 2^20 statuses of 8 bits. */
const MAX_LIST_BYTES = 1024 * 1024

/** `lst` of a status list: base64url of the ZLIB stream (Token Status List section 4.1), of the bytes as they are now. */
export async function encodeStatusList(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const compressed = new Blob([bytes]).stream().pipeThrough(new CompressionStream('deflate'))
  return encodeBase64url(new Uint8Array(await new Response(compressed).arrayBuffer()))
}

/**
 * The bytes of a `lst`. Refuses a non-canonical text, a stream that is cut, damaged or followed by anything, and stops
 * inflating at `maxBytes` (default 1 MiB). Does not look at who signed it: that comes first.
 */
export async function decodeStatusList(
  lst: string,
  { maxBytes = MAX_LIST_BYTES }: { readonly maxBytes?: number } = {},
): Promise<Result<Uint8Array, RefusalReason>> {
  // Deflate never makes anything longer than this.
  if (lst.length > 2 * maxBytes + 64) return refuse('token-malformed', 'The status list is too large')
  const compressed = decodeBase64url(lst)
  if (compressed === undefined) return refuse('token-malformed', 'The status list is not canonical base64url')
  const bytes = await inflate(compressed, maxBytes)
  if (bytes === undefined) return refuse('token-malformed', 'The status list does not inflate within its bound')
  // Platforms check the sum at the end of the stream, and some stop reading there. Without its last byte, only a stream
  // that something follows is still whole.
  if ((await inflate(compressed.subarray(0, -1), maxBytes)) !== undefined)
    return refuse('token-malformed', 'Something follows the status list')
  return ok(bytes)
}

/**
 * Status at an index, the first in the lowest bits (Token Status List section 4.1). An index outside of the list
 * refuses the grant that names it.
 */
export function statusAt(bytes: Uint8Array, bits: StatusBits, idx: number): Result<number, RefusalReason> {
  const at = idx * bits
  const byte = Number.isSafeInteger(idx) ? bytes[Math.floor(at / 8)] : undefined
  if (byte === undefined) return refuse('token-claims', 'The status index is outside of the list')
  return ok((byte >> (at % 8)) & ((1 << bits) - 1))
}

async function inflate(compressed: Uint8Array, maxBytes: number): Promise<Uint8Array | undefined> {
  const stream = new Blob([Uint8Array.from(compressed)]).stream().pipeThrough(new DecompressionStream('deflate'))
  const reader = stream.getReader()
  const chunks: Uint8Array[] = []
  let length = 0
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      length += read.value.length
      if (length > maxBytes) {
        await reader.cancel()
        return undefined
      }
      chunks.push(read.value)
    }
  } catch {
    return undefined
  }
  const bytes = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}
