import { canonicalize, Decimal } from '@hallpass/core'
import type { Constraint, Constraints, JsonValue } from '@hallpass/core'

/**
 * Constraints that hold only where all of these do. Undefined where that cannot be written as constraints: the grant
 * then fixes the parameters that were asked, which every one of them took.
 */
export function intersectConstraints(all: readonly Constraints[]): Constraints | undefined {
  const [first, ...rest] = all
  return rest.reduce<Constraints | undefined>(
    (sum, next) => (sum === undefined ? undefined : intersectTwo(sum, next)),
    first,
  )
}

function intersectTwo(one: Constraints, other: Constraints): Constraints | undefined {
  const both: Record<string, Constraint> = {}
  for (const name of Object.keys(one)) {
    const left = one[name]
    const right = Object.hasOwn(other, name) ? other[name] : undefined
    // What only one of them names may not be sent: the world is closed.
    if (left === undefined || right === undefined) continue
    const met = meet(left, right)
    if (met === undefined) return undefined
    both[name] = left.optional === true && right.optional === true ? { ...met, optional: true } : met
  }
  return Object.freeze(both)
}

function meet(left: Constraint, right: Constraint): Constraint | undefined {
  const { optional: _left, ...one } = left
  const { optional: _right, ...other } = right
  if ('any' in one) return other
  if ('any' in other) return one
  if ('prefix' in one || 'prefix' in other) return meetPrefix(one, other)
  const choices = choicesOf(one)
  const others = choicesOf(other)
  if (choices !== undefined && others !== undefined) return meetChoices(choices, others)
  return isRange(one) && isRange(other) ? meetRange(one, other) : undefined
}

type Range = { readonly min?: string; readonly max?: string }

const isRange = (constraint: Constraint): constraint is Constraint & Range => 'min' in constraint || 'max' in constraint

function meetRange(one: Range, other: Range): Constraint | undefined {
  const min = pick(one.min, other.min, (a, b) => a.gte(b))
  const max = pick(one.max, other.max, (a, b) => a.lte(b))
  if (min !== undefined && max !== undefined && Decimal.of(min).gt(max)) return undefined
  return { ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) }
}

function pick(
  one: string | undefined,
  other: string | undefined,
  isStricter: (a: Decimal, b: Decimal) => boolean,
): string | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return isStricter(Decimal.of(one), Decimal.of(other)) ? one : other
}

function meetPrefix(one: Constraint, other: Constraint): Constraint | undefined {
  if (!('prefix' in one) || !('prefix' in other)) return undefined
  if (one.prefix.startsWith(other.prefix)) return one
  return other.prefix.startsWith(one.prefix) ? other : undefined
}

function choicesOf(constraint: Constraint): readonly JsonValue[] | undefined {
  if ('equals' in constraint) return [constraint.equals]
  return 'one_of' in constraint ? constraint.one_of : undefined
}

function meetChoices(one: readonly JsonValue[], other: readonly JsonValue[]): Constraint | undefined {
  const known = new Set(other.map((value) => canonicalize(value)))
  const both = new Map(one.map((value) => [canonicalize(value), value]))
  // Sorted, so that the order of rules shows nowhere.
  const kept = [...both.keys()].filter((text) => known.has(text)).toSorted()
  const [only, ...more] = kept.map((text) => both.get(text) ?? null)
  if (only === undefined) return undefined
  return more.length === 0 ? { equals: only } : { one_of: [only, ...more] }
}
