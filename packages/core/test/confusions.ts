import type { JsonValue } from '../src/json/value.ts'

/** What a loose reader could take for a value: other types, the same thing wrapped, spelled or typed differently. */
export const confusionsOf = (value: JsonValue): readonly (readonly [title: string, value: JsonValue])[] => {
  const always: (readonly [string, JsonValue])[] = [
    ['null', null],
    ['true', true],
    ['false', false],
    ['an empty text', ''],
    ['a space', ' '],
    ['an empty list', []],
    ['an empty object', {}],
    ['a negative number', -1],
    ['it in a list', [value]],
    ['it in an object', { value }],
    ['it twice in a list', [value, value]],
    ['an object that would print as it', { toString: value, valueOf: value }],
  ]
  if (typeof value === 'string') return [...always, ...ofText(value)]
  return typeof value === 'number' ? [...always, ...ofNumber(value)] : always
}

const ofText = (text: string): (readonly [string, JsonValue])[] => [
  ['zero', 0],
  ['its characters', Array.from(text)],
  ['it with a space ahead', ` ${text}`],
  ['it with a space behind', `${text} `],
  ['it with a line break', `${text}\n`],
  ['it with a NUL', `${text}\0`],
  ['it in capitals', text.toUpperCase() === text ? text.toLowerCase() : text.toUpperCase()],
  ['it with a slash', `${text}/`],
  ['it with a dot', `${text}.`],
  ['it with a space of no width', `${text}\u200b`],
  ['it in full-width letters', text.replaceAll(/[!-~]/g, (c) => String.fromCharCode(c.charCodeAt(0) + 0xfee0))],
  ['its escaped form', Array.from(text, (c) => `%${c.charCodeAt(0).toString(16)}`).join('')],
  ['its beginning', text.slice(0, -1)],
  ['a star', '*'],
]

const ofNumber = (number: number): (readonly [string, JsonValue])[] => [
  ['it as text', String(number)],
  ['it as text with an exponent', number.toExponential()],
  ['it in hexadecimal text', `0x${number.toString(16)}`],
  ['milliseconds', number * 1e6],
]
