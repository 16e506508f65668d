import { Decimal } from '@hallpass/core'

const MAX_DEPTH = 32

/** Thrown by `snapshot`: what was met, in words, never a value. */
export class NotData extends Error {}

/**
 * A deep, frozen copy of plain data: JSON and `Decimal`. Rules get copies, so none can change what the next one sees.
 *
 * Throws `NotData` for what cannot be frozen or has no canonical form: dates, maps, functions, `undefined`, cycles.
 */
export function snapshot(value: unknown, where: string, depth = 0): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new NotData(`${where} is a number that is not finite`)
    return value
  }
  if (value instanceof Decimal) return Object.freeze(value)
  if (typeof value !== 'object')
    throw new NotData(`${where} is ${typeof value === 'undefined' ? 'undefined' : `a ${typeof value}`}`)
  if (depth >= MAX_DEPTH) throw new NotData(`${where} is nested too deep`)
  if (Array.isArray(value)) return Object.freeze(value.map((item) => snapshot(item, where, depth + 1)))
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null)
    throw new NotData(`${where} holds something that is not plain data`)
  const copy: Record<string, unknown> = {}
  for (const name of Object.keys(value)) {
    if (name === '__proto__') throw new NotData(`${where} has a member '__proto__'`)
    const member = (value as Readonly<Record<string, unknown>>)[name]
    if (member !== undefined) copy[name] = snapshot(member, where, depth + 1)
  }
  return Object.freeze(copy)
}
