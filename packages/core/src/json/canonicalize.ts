import { HallpassError } from '../fault.ts'
import { isWellFormed } from './well-formed.ts'
import type { JsonObject, JsonValue } from './value.ts'

const MAX_DEPTH = 64

/**
 * Canonical JSON text of a value (RFC 8785): members sorted by UTF-16 code units, ECMAScript numbers and escapes.
 *
 * Throws `configuration-invalid` for what JSON cannot say: numbers that are not finite, lone surrogates, functions,
 * class instances, holes and cycles.
 */
export function canonicalize(value: JsonValue): string {
  return write(value, 0)
}

const cannot = (what: string): HallpassError =>
  new HallpassError('configuration-invalid', `Canonical JSON cannot say ${what}. Pass plain JSON data.`)

function write(value: JsonValue, depth: number): string {
  if (typeof value === 'string') return text(value)
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw cannot('a number that is not finite')
    return String(value)
  }
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value !== 'object') throw cannot(`a ${typeof value}`)
  if (depth >= MAX_DEPTH) throw cannot('nesting this deep, or a cycle')
  if (isList(value)) {
    return `[${Array.from(value, (item) => write(item, depth + 1)).join(',')}]`
  }
  return object(value, depth)
}

const isList = (value: JsonValue): value is readonly JsonValue[] => Array.isArray(value)

function object(value: JsonObject, depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) throw cannot('a class instance')
  let out = '{'
  for (const name of Object.keys(value).sort()) {
    if (out !== '{') out += ','
    out += `${text(name)}:${write(value[name] as JsonValue, depth + 1)}`
  }
  return `${out}}`
}

function text(value: string): string {
  if (!isWellFormed(value)) throw cannot('a lone surrogate')
  return JSON.stringify(value)
}
