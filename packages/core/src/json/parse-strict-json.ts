import { decodeUtf8 } from '#crypto'
import { ok, refuse } from '../result.ts'
import type { Result } from '../result.ts'
import { Scanner } from './scanner.ts'
import type { JsonProblem } from './scanner.ts'
import type { JsonValue } from './value.ts'
import { isWellFormed } from './well-formed.ts'

export const MAX_JSON_DEPTH = 16

const encoder = new TextEncoder()

/**
 * Parses JSON in one pass and refuses what two readers could read differently.
 *
 * Refused beyond RFC 8259: duplicate members, byte order mark, invalid UTF-8, lone surrogates, numbers that are not
 * finite, integers beyond 2^53 - 1, nesting deeper than `maxDepth` (16), a member `__proto__`. Does not bound the size.
 */
export function parseStrictJson(
  text: string | Uint8Array,
  options?: { readonly maxDepth?: number },
): Result<JsonValue, JsonProblem> {
  const bytes = typeof text === 'string' ? encoder.encode(text) : text
  const decoded = typeof text === 'string' ? text : decodeUtf8(text)
  return decoded === undefined ? refuse('json-encoding') : parseDecoded(decoded, bytes, options?.maxDepth)
}

/** The same for a text that is at hand together with its UTF-8 octets. */
export function parseDecoded(
  decoded: string,
  bytes: Uint8Array,
  maxDepth: number = MAX_JSON_DEPTH,
): Result<JsonValue, JsonProblem> {
  // As many code units as octets: all of it is ASCII.
  const codes = decoded.length === bytes.length ? bytes : codesOf(decoded)
  if (codes === undefined) return refuse('json-encoding')
  const scanner = new Scanner(decoded, codes, maxDepth)
  const value = scanner.document()
  return scanner.problem === undefined ? ok(value) : refuse(scanner.problem)
}

const BEYOND_ASCII = 0x80

function codesOf(text: string): Uint8Array | undefined {
  if (text.charCodeAt(0) === 0xfeff || !isWellFormed(text)) return undefined
  const codes = new Uint8Array(text.length)
  for (let at = 0; at < text.length; at++) codes[at] = Math.min(text.charCodeAt(at), BEYOND_ASCII)
  return codes
}
