import { decodeUtf8 } from '#crypto'
import { ok, refuse } from '../result.ts'
import type { Result } from '../result.ts'
import type { JsonValue } from './value.ts'

/** Why a text is not the JSON we read: stricter than RFC 8259, in the spirit of I-JSON (RFC 7493). */
export type JsonProblem =
  | 'json-syntax'
  | 'json-encoding' // not UTF-8, a byte order mark, a lone surrogate
  | 'json-duplicate' // one member name twice in one object, escapes resolved
  | 'json-depth'
  | 'json-number' // not finite, or an integer literal no double holds exactly
  | 'json-member' // `__proto__`

export const MAX_JSON_DEPTH = 16

const hasOwn = Object.prototype.hasOwnProperty
const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const MINUS = 0x2d
const POINT = 0x2e
const ZERO = 0x30
const NINE = 0x39
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', '"': '"', '\\': '\\', '/': '/' }

/** One pass over one text. After a problem every method returns and nothing it returned is used. */
class Scanner {
  readonly text: string
  readonly end: number
  readonly maxDepth: number
  at = 0
  depth = 0
  problem: JsonProblem | undefined = undefined

  constructor(text: string, maxDepth: number) {
    this.text = text
    this.end = text.length
    this.maxDepth = maxDepth
  }

  fail(problem: JsonProblem): null {
    this.problem ??= problem
    return null
  }

  /** The next code that is not white space, or NaN at the end. */
  peek(): number {
    let code = this.text.charCodeAt(this.at)
    while (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) code = this.text.charCodeAt(++this.at)
    return code
  }

  value(): JsonValue {
    const code = this.peek()
    if (code === QUOTE) return this.string()
    if (code === OPEN_OBJECT) return this.object()
    if (code === OPEN_ARRAY) return this.array()
    if (code === MINUS || (code >= ZERO && code <= NINE)) return this.number(code)
    return this.literal(code)
  }

  literal(code: number): JsonValue {
    if (code === 0x74 && this.text.startsWith('true', this.at)) return this.skip(4, true)
    if (code === 0x66 && this.text.startsWith('false', this.at)) return this.skip(5, false)
    if (code === 0x6e && this.text.startsWith('null', this.at)) return this.skip(4, null)
    return this.fail(code === 0xfeff ? 'json-encoding' : 'json-syntax')
  }

  skip<T>(length: number, value: T): T {
    this.at += length
    return value
  }

  object(): JsonValue {
    if (++this.depth > this.maxDepth) return this.fail('json-depth')
    const object: Record<string, JsonValue> = {}
    this.at++
    if (this.peek() === CLOSE_OBJECT) return this.close(object)
    for (;;) {
      if (this.peek() !== QUOTE) return this.fail('json-syntax')
      const name = this.string()
      if (this.problem !== undefined) return null
      if (hasOwn.call(object, name)) return this.fail('json-duplicate')
      // Assigning it would set a prototype instead of a member, and nobody means it.
      if (name === '__proto__') return this.fail('json-member')
      if (this.peek() !== COLON) return this.fail('json-syntax')
      this.at++
      const value = this.value()
      if (this.problem !== undefined) return null
      object[name] = value
      const next = this.peek()
      if (next === CLOSE_OBJECT) return this.close(object)
      if (next !== COMMA) return this.fail('json-syntax')
      this.at++
    }
  }

  array(): JsonValue {
    if (++this.depth > this.maxDepth) return this.fail('json-depth')
    const array: JsonValue[] = []
    this.at++
    if (this.peek() === CLOSE_ARRAY) return this.close(array)
    for (;;) {
      const value = this.value()
      if (this.problem !== undefined) return null
      array.push(value)
      const next = this.peek()
      if (next === CLOSE_ARRAY) return this.close(array)
      if (next !== COMMA) return this.fail('json-syntax')
      this.at++
    }
  }

  close<T>(value: T): T {
    this.depth--
    this.at++
    return value
  }

  /** Plain strings are one slice; the first escape hands over to `escaped`. */
  string(): string {
    const { text } = this
    const start = this.at + 1
    let at = start
    for (;;) {
      const code = text.charCodeAt(at)
      if (code === QUOTE) {
        this.at = at + 1
        return text.slice(start, at)
      }
      if (code === BACKSLASH) return this.escaped(start, at)
      // NaN, past the end, is not >= 0x20 either.
      if (!(code >= 0x20)) return this.fail('json-syntax') ?? ''
      if (code >= 0xd800 && code <= 0xdfff) {
        if (!isPair(code, text.charCodeAt(at + 1))) return this.fail('json-encoding') ?? ''
        at++
      }
      at++
    }
  }

  escaped(start: number, firstEscape: number): string {
    const { text } = this
    let plain = start
    let at = firstEscape
    let built = ''
    for (;;) {
      const code = text.charCodeAt(at)
      if (!(code >= 0x20)) return this.fail('json-syntax') ?? ''
      if (code === QUOTE) break
      if (code !== BACKSLASH) {
        at++
        continue
      }
      built += text.slice(plain, at)
      const letter = text.charAt(at + 1)
      const simple = hasOwn.call(ESCAPES, letter) ? ESCAPES[letter] : undefined
      const hex = simple === undefined && letter === 'u' ? text.slice(at + 2, at + 6) : ''
      if (simple === undefined && !/^[0-9a-fA-F]{4}$/.test(hex)) return this.fail('json-syntax') ?? ''
      built += simple ?? String.fromCharCode(Number.parseInt(hex, 16))
      at += simple === undefined ? 6 : 2
      plain = at
    }
    this.at = at + 1
    built += text.slice(plain, at)
    return isWellFormed(built) ? built : (this.fail('json-encoding') ?? '')
  }

  number(first: number): number {
    const { text } = this
    const start = this.at
    let at = first === MINUS ? start + 1 : start
    const digits = at
    let code = text.charCodeAt(at)
    let small = 0
    while (code >= ZERO && code <= NINE) {
      small = small * 10 + (code - ZERO)
      code = text.charCodeAt(++at)
    }
    const length = at - digits
    if (length === 0 || (length > 1 && text.charCodeAt(digits) === ZERO)) return this.fail('json-syntax') ?? 0
    if (code === POINT || (code | 0x20) === 0x65) return this.fraction(start, at)
    this.at = at
    if (!Number.isSafeInteger(small)) return this.fail('json-number') ?? 0
    return first === MINUS ? -small : small
  }

  fraction(start: number, from: number): number {
    const tail = /(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
    tail.lastIndex = from
    const matched = tail.exec(this.text)?.[0] ?? ''
    if (matched === '') return this.fail('json-syntax') ?? 0
    this.at = from + matched.length
    const value = Number(this.text.slice(start, this.at))
    return Number.isFinite(value) ? value : (this.fail('json-number') ?? 0)
  }
}

const isPair = (high: number, low: number): boolean => high <= 0xdbff && low >= 0xdc00 && low <= 0xdfff

/** No lone surrogates. */
export function isWellFormed(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code < 0xd800 || code > 0xdfff) continue
    if (!isPair(code, text.charCodeAt(at + 1))) return false
    at++
  }
  return true
}

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
  const decoded = typeof text === 'string' ? text : decodeUtf8(text)
  if (decoded === undefined) return refuse('json-encoding')
  const scanner = new Scanner(decoded, options?.maxDepth ?? MAX_JSON_DEPTH)
  const value = scanner.value()
  if (scanner.problem === undefined) {
    scanner.peek()
    if (scanner.at !== scanner.end) scanner.fail('json-syntax')
  }
  return scanner.problem === undefined ? ok(value) : refuse(scanner.problem)
}
