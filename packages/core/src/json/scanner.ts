import type { JsonValue } from './value.ts'
import { isWellFormed } from './well-formed.ts'

/** Why a text is not the JSON we read: stricter than RFC 8259, in the spirit of I-JSON (RFC 7493). */
export type JsonProblem =
  | 'json-syntax'
  | 'json-encoding' // not UTF-8, a byte order mark, a lone surrogate
  | 'json-duplicate' // one member name twice in one object, escapes resolved
  | 'json-depth'
  | 'json-number' // not finite, or an integer literal no double holds exactly
  | 'json-member' // `__proto__`

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

const HEX = /^[0-9a-fA-F]{4}$/
const ESCAPES = new Map([
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
])

/**
 * Names seen before, by hash: a name found here is neither cut out nor interned again, which is half the cost of small
 * objects. Bounded, and only ever a shortcut: a hit is compared in full.
 */
const NAME_SLOTS = 512
const MAX_KEPT_NAME = 40
/**
 * Engines keep a piece of a string as a view of the whole. That is what makes pieces cheap, and what would let one name or
 * one value keep a whole body alive: pieces of a text longer than this are copied, and its names are not kept.
 */
const MAX_SHARED_TEXT = 8192
const names: string[] = Array.from({ length: NAME_SLOTS }, () => '')

/** What `peek` and the string loops see past the end. Indexing past the end instead would make every read slow. */
const END = -1

/** The same characters in memory of their own: joining builds a new text, and only that is cut. */
const copyOf = (piece: string): string => ` ${piece}`.slice(1)

/**
 * One pass over one text. `codes` is the text, one octet per UTF-16 code unit, everything beyond ASCII as 0x80: octets
 * index several times faster than strings do. After a problem every method returns and nothing it returned is used.
 */
export class Scanner {
  readonly text: string
  readonly codes: Uint8Array
  readonly end: number
  readonly maxDepth: number
  at = 0
  depth = 0
  problem: JsonProblem | undefined = undefined

  constructor(text: string, codes: Uint8Array, maxDepth: number) {
    this.text = text
    this.codes = codes
    this.end = codes.length
    this.maxDepth = maxDepth
  }

  /** The one value of the text, or a problem. */
  document(): JsonValue {
    const value = this.value()
    if (this.peek() !== END) this.fail('json-syntax')
    return value
  }

  /** The first problem stands. */
  private fail(problem: JsonProblem): null {
    this.problem ??= problem
    return null
  }

  private failText(problem: JsonProblem): string {
    this.problem ??= problem
    return ''
  }

  private code(at: number): number {
    return at < this.end ? (this.codes[at] as number) : END
  }

  /** The next code that is not white space. */
  private peek(): number {
    let code = this.code(this.at)
    if (code > 0x20) return code
    while (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) code = this.code(++this.at)
    return code
  }

  private value(): JsonValue {
    const code = this.peek()
    if (code === QUOTE) return this.string()
    if (code === OPEN_OBJECT) return this.object()
    if (code === OPEN_ARRAY) return this.array()
    if (code === MINUS || (code >= ZERO && code <= NINE)) return this.number(code)
    if (this.text.startsWith('true', this.at)) return this.skip(4, true)
    if (this.text.startsWith('false', this.at)) return this.skip(5, false)
    if (this.text.startsWith('null', this.at)) return this.skip(4, null)
    return this.fail('json-syntax')
  }

  private skip<T>(length: number, value: T): T {
    this.at += length
    return value
  }

  private object(): JsonValue {
    if (++this.depth > this.maxDepth) return this.fail('json-depth')
    const object: Record<string, JsonValue> = {}
    this.at++
    if (this.peek() === CLOSE_OBJECT) return this.close(object)
    for (;;) {
      if (this.peek() !== QUOTE) return this.fail('json-syntax')
      const name = this.name()
      if (this.problem !== undefined) return null
      if (Object.hasOwn(object, name)) return this.fail('json-duplicate')
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

  private array(): JsonValue {
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

  private close<T>(value: T): T {
    this.depth--
    this.at++
    return value
  }

  private name(): string {
    const { codes, end } = this
    const start = this.at + 1
    let at = start
    let hash = 0
    for (
      let code = at < end ? (codes[at] as number) : END;
      code !== QUOTE;
      code = ++at < end ? (codes[at] as number) : END
    ) {
      if (code < 0x20 || code === BACKSLASH) return this.string()
      hash = (Math.imul(hash, 31) + code) | 0
    }
    this.at = at + 1
    const slot = hash & (NAME_SLOTS - 1)
    const kept = names[slot] ?? ''
    if (kept.length === at - start && this.text.startsWith(kept, start)) return kept
    const name = this.text.slice(start, at)
    if (name.length <= MAX_KEPT_NAME && end <= MAX_SHARED_TEXT) names[slot] = name
    return name
  }

  /** Plain strings are one slice; the first escape hands over to `escaped`. */
  private string(): string {
    const { codes, end } = this
    const start = this.at + 1
    let at = start
    for (
      let code = at < end ? (codes[at] as number) : END;
      code !== QUOTE;
      code = ++at < end ? (codes[at] as number) : END
    ) {
      if (code === BACKSLASH) return this.escaped(start, at)
      if (code < 0x20) return this.failText('json-syntax')
    }
    this.at = at + 1
    const piece = this.text.slice(start, at)
    return end > MAX_SHARED_TEXT ? copyOf(piece) : piece
  }

  private escaped(start: number, firstEscape: number): string {
    const { text } = this
    let plain = start
    let at = firstEscape
    let built = ''
    for (let code = this.code(at); code !== QUOTE; code = this.code(at)) {
      if (code < 0x20) return this.failText('json-syntax')
      if (code !== BACKSLASH) {
        at++
        continue
      }
      const simple = ESCAPES.get(text.charAt(at + 1))
      const hex = text.charAt(at + 1) === 'u' ? text.slice(at + 2, at + 6) : ''
      if (simple === undefined && !HEX.test(hex)) return this.failText('json-syntax')
      built += text.slice(plain, at) + (simple ?? String.fromCharCode(Number.parseInt(hex, 16)))
      at += simple === undefined ? 6 : 2
      plain = at
    }
    this.at = at + 1
    built += text.slice(plain, at)
    return isWellFormed(built) ? built : this.failText('json-encoding')
  }

  private number(first: number): number | null {
    const start = this.at
    const digits = first === MINUS ? start + 1 : start
    let at = digits
    let value = 0
    let code = this.code(at)
    for (; code >= ZERO && code <= NINE; code = this.code(++at)) value = value * 10 + (code - ZERO)
    if (at === digits || (at > digits + 1 && this.code(digits) === ZERO)) return this.fail('json-syntax')
    if (code === POINT || code === 0x65 || code === 0x45) return this.fraction(start, at)
    this.at = at
    if (!Number.isSafeInteger(value)) return this.fail('json-number')
    return first === MINUS ? -value : value
  }

  private fraction(start: number, from: number): number | null {
    const tail = /(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
    tail.lastIndex = from
    const matched = tail.exec(this.text)?.[0] ?? ''
    if (matched === '') return this.fail('json-syntax')
    this.at = from + matched.length
    const value = Number(this.text.slice(start, this.at))
    return Number.isFinite(value) ? value : this.fail('json-number')
  }
}
