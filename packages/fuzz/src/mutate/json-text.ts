import type { JsonObject, JsonValue } from '@hallpass/core'
import type { Random } from '../run/random.ts'

/** JSON text of a value, most of the time as everybody writes it, and sometimes as nobody does. */
export function writeJson(random: Random, value: JsonValue): string {
  if (!random.oneIn(5)) return JSON.stringify(value)
  const writer = new OddWriter(random, random.pick([5, 20, 60]))
  return writer.around(writer.write(value))
}

const NUMBERS = [
  '1e999',
  '-1e999',
  '1e-999',
  '-0',
  '0e0',
  '01',
  '+1',
  '.5',
  '1.',
  '0x10',
  'NaN',
  'Infinity',
  '-',
  '1e',
  '1_0',
  '9007199254740991',
  '9007199254740992',
  '9007199254740993',
  '-9007199254740993',
  '12345678901234567890',
  '1e22',
  '1.7976931348623157e308',
  '1.7976931348623159e308',
  '0.1000000000000000055511151231257827',
  '123456789012345678901234567890.5',
]

class OddWriter {
  readonly #random: Random
  readonly #rarity: number

  constructor(random: Random, rarity: number) {
    this.#random = random
    this.#rarity = rarity
  }

  write(value: JsonValue): string {
    if (typeof value === 'string') return this.#text(value)
    if (typeof value === 'number') return this.#number(value)
    if (typeof value !== 'object' || value === null) {
      return this.#odd() ? this.#random.pick(['True', 'nul', 'undefined', "'a'", 'null ', 'truefalse']) : String(value)
    }
    if (Array.isArray(value)) {
      return this.#join(
        '[',
        (value as readonly JsonValue[]).map((item) => this.write(item)),
        ']',
      )
    }
    return this.#join('{', this.#members(value as JsonObject), '}')
  }

  /** What stands before or after the document. */
  around(text: string): string {
    if (!this.#odd()) return text
    const random = this.#random
    return (
      random.pick(['', '', '', '\ufeff', ' ', '\n', '\u00a0']) +
      text +
      random.pick(['', ' ', '\t', '\0', '{}', ',', '//'])
    )
  }

  #odd(): boolean {
    return this.#random.oneIn(this.#rarity)
  }

  #space(): string {
    return this.#odd() ? this.#random.pick([' ', '\n', '\t', '\r', '  ', '\u00a0', '\u2028', '\v', '/**/']) : ''
  }

  #join(open: string, parts: readonly string[], close: string): string {
    const comma = this.#odd() ? this.#random.pick([' , ', ',,', ';', '']) : ','
    const last = this.#odd() && this.#odd() ? ',' : ''
    return open + this.#space() + parts.join(comma) + last + this.#space() + close
  }

  #members(object: JsonObject): string[] {
    const written = Object.entries(object).flatMap(([name, value]) => {
      const member = this.#member(name, value)
      return this.#odd() ? this.#twice(name, value, member) : [member]
    })
    if (this.#odd() && this.#odd()) written.unshift(this.#member('__proto__', { a: 1 }))
    return written
  }

  #member(name: string, value: JsonValue): string {
    return `${this.#text(name)}${this.#space()}:${this.#space()}${this.write(value)}`
  }

  /** One name twice: equal, changed, or spelled with an escape. */
  #twice(name: string, value: JsonValue, member: string): string[] {
    const other = this.#member(name, this.#random.pick<JsonValue>([value, null, 'x', 1, {}]))
    return this.#random.pick([
      [member, member],
      [other, member],
      [member, other],
      [`${escapeAll(name)}:${JSON.stringify(value)}`, member],
    ])
  }

  #number(value: number): string {
    if (!this.#odd()) return JSON.stringify(value)
    const forms = [
      `${value}.0`,
      `${value}e0`,
      `${value}E+00`,
      `0${value}`,
      `${value}.`,
      `-${value}`,
      `"${value}"`,
      `${value}0e-1`,
    ]
    return this.#random.pick(this.#random.oneIn(2) ? forms : NUMBERS)
  }

  #text(text: string): string {
    if (!this.#odd()) return JSON.stringify(text)
    const random = this.#random
    const at = random.below(text.length + 1)
    const insert = (piece: string) =>
      `${JSON.stringify(text.slice(0, at)).slice(0, -1)}${piece}${JSON.stringify(text.slice(at)).slice(1)}`
    switch (random.below(4)) {
      case 0:
        return escapeAll(text)
      case 1:
        return insert(random.pick(['\\ud800', '\\udc00', '\\ud83d\\ude00', '\\u0000', '\\/', '\\u202e', '\\ufeff']))
      case 2:
        return insert(
          random.pick(['\n', '\0', '\t', '\\', '\\x', '\\u12', '\\u+123', '\u007f', '\u2028', '"', '\\U0041']),
        )
      default:
        return JSON.stringify(text).replaceAll('/', '\\/')
    }
  }
}

const escapeAll = (text: string): string =>
  `"${Array.from({ length: text.length }, (_, at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')}"`
