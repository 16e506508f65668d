import type { JsonObject, JsonValue } from '@hallpass/core'
import type { Random } from '../run/random.ts'

/** Names and values that mean something to the reader under test. */
export interface Vocabulary {
  readonly names: readonly string[]
  readonly values: readonly JsonValue[]
  /** NumericDate seconds that the reader takes for now. */
  readonly now: number
}

const ODD_VALUES: readonly JsonValue[] = [
  null,
  true,
  false,
  0,
  -1,
  1,
  0.5,
  1e21,
  2 ** 53,
  253402300800,
  '',
  ' ',
  '0',
  'null',
  '*',
  '../..',
  '\u0000',
  'é',
  'e\u0301',
  '\ud83d\ude00',
  '\u202eabc',
  'x'.repeat(513),
  [],
  {},
  [null],
  [[]],
  { a: 1 },
  '__proto__',
  'constructor',
]
const ODD_NAMES = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '', ' ', 'a', 'A', 'é', '\u0000', '0']
const SHIFTS = [-1000, -901, -900, -66, -65, -61, -60, -6, -5, -1, 0, 1, 4, 5, 6, 30, 31, 60, 900, 901, 86400]

type Place = readonly (string | number)[]

function places(value: JsonValue, here: Place = []): Place[] {
  if (typeof value !== 'object' || value === null) return [here]
  return [here, ...Object.entries(value).flatMap(([name, part]) => places(part, [...here, name]))]
}

/** What chance picks from. */
interface Odds {
  readonly random: Random
  readonly words: Vocabulary
}

/** The value with one thing about it changed, anywhere in it but at the top. */
export function mutateValue(random: Random, value: JsonValue, words: Vocabulary): JsonValue {
  const below = places(value).filter((place) => place.length > 0)
  const odds = { random, words }
  if (below.length === 0 || random.oneIn(8)) return addMember(odds, value)
  return changeAt(odds, value, random.pick(below))
}

function changeAt(odds: Odds, value: JsonValue, place: Place): JsonValue {
  const [name, ...rest] = place
  if (name === undefined || typeof value !== 'object' || value === null) return oddOf(odds, value)
  if (Array.isArray(value)) return changeItem(odds, value as readonly JsonValue[], [Number(name), ...rest])
  const object = value as JsonObject
  if (rest.length > 0) return withMember(object, String(name), changeAt(odds, object[name] as JsonValue, rest))
  return changeMember(odds, object, String(name))
}

/** Setting `__proto__` on a plain object would change its prototype instead. */
function withMember(object: JsonObject, name: string, value: JsonValue): JsonObject {
  return Object.fromEntries([...Object.entries(object).filter(([other]) => other !== name), [name, value]])
}

function changeItem(
  odds: Odds,
  list: readonly JsonValue[],
  [at, ...rest]: readonly [number, ...(string | number)[]],
): JsonValue {
  const item = list[at] as JsonValue
  if (rest.length > 0) return list.toSpliced(at, 1, changeAt(odds, item, rest))
  switch (odds.random.below(4)) {
    case 0:
      return list.toSpliced(at, 1)
    case 1:
      return list.toSpliced(at, 0, item)
    case 2:
      return list.toSpliced(at, 0, oddOf(odds, item))
    default:
      return list.toSpliced(at, 1, oddOf(odds, item))
  }
}

function changeMember(odds: Odds, object: JsonObject, name: string): JsonValue {
  const value = object[name] as JsonValue
  const without = Object.fromEntries(Object.entries(object).filter(([other]) => other !== name))
  switch (odds.random.below(6)) {
    case 0:
      return without
    case 1:
      return withMember(without, oddName(odds, name), value)
    default:
      return withMember(object, name, oddOf(odds, value))
  }
}

function addMember(odds: Odds, value: JsonValue): JsonValue {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return oddOf(odds, value)
  return withMember(value as JsonObject, oddName(odds, 'x'), oddOf(odds, 'x'))
}

function oddName({ random, words }: Odds, name: string): string {
  const choice = random.below(5)
  if (choice === 0) return name.toUpperCase()
  if (choice === 1) return `${name} `
  return random.pick(choice === 2 ? ODD_NAMES : words.names)
}

/** Something a lenient reader could take for the same. */
function oddOf({ random, words }: Odds, value: JsonValue): JsonValue {
  const choice = random.below(10)
  if (choice === 0) return [value]
  if (choice === 1) return random.pick(ODD_VALUES)
  if (choice === 2 && words.values.length > 0) return random.pick(words.values)
  if (choice === 3 && Array.isArray(value)) return (value as readonly JsonValue[])[0] ?? null
  if (choice === 4) return { value }
  if (choice === 5) return deep(random.pick([3, 12, 15, 16, 17, 40]), value)
  if (typeof value === 'number') return oddNumber(random, value, words.now)
  return typeof value === 'string' ? oddText(random, value) : random.pick(ODD_VALUES)
}

function oddNumber(random: Random, value: number, now: number): JsonValue {
  if (value > 1e9 && !random.oneIn(4)) return now + random.pick(SHIFTS) + random.pick([0, 0, 0, 0.5, 0.001])
  return random.pick<JsonValue>([String(value), -value, value + 1, value - 1, value + 0.5, value * 1000, value / 3])
}

function oddText(random: Random, text: string): string {
  const at = random.below(text.length + 1)
  switch (random.below(9)) {
    case 0:
      return text.toUpperCase()
    case 1:
      return `${text}/`
    case 2:
      return ` ${text}`
    case 3:
      return text.slice(0, -1)
    case 4:
      return `${text}${text}`
    case 5:
      return `${text.slice(0, at)}${random.pick(['\u0000', '\u200b', '*', '..', '/', '%2f', '\\', 'ı', '\n', '=', '.'])}${text.slice(at)}`
    case 6:
      return text.slice(0, at) + text.slice(at + 1)
    case 7:
      return text.normalize('NFD')
    default:
      return text.slice(0, at) + String.fromCharCode(33 + random.below(90)) + text.slice(at + 1)
  }
}

const deep = (depth: number, value: JsonValue): JsonValue => (depth === 0 ? value : [deep(depth - 1, value)])
