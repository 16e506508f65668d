import { Decimal } from '../decimal/decimal.ts'
import { canonicalize } from '../json/canonicalize.ts'
import { isObject, member } from '../json/is-object.ts'
import type { JsonObject, JsonValue } from '../json/value.ts'
import type { RefusalReason } from '../reason.ts'
import { ok, refuse } from '../result.ts'
import type { Result } from '../result.ts'
import type { Constraint, Constraints } from './entry.ts'

const MAX_CONSTRAINTS = 64
const MAX_CHOICES = 64
const unknown = refuse('constraint-unknown', 'a constraint has an operator this profile does not know')

/** Checks that every constraint has exactly one operator this profile knows, in its right shape. */
export function checkConstraints(value: JsonValue): Result<Constraints, RefusalReason> {
  if (!isObject(value)) return refuse('details-invalid', 'constraints is an object')
  const names = Object.keys(value)
  if (names.length > MAX_CONSTRAINTS) return refuse('details-invalid', 'there are too many constraints')
  for (const name of names) {
    if (!isConstraint(member(value, name))) return unknown
  }
  return ok(value as unknown as Constraints)
}

function isConstraint(value: JsonValue | undefined): boolean {
  if (!isObject(value)) return false
  const { optional } = value
  if (optional !== undefined && typeof optional !== 'boolean') return false
  const operators = Object.keys(value).filter((name) => name !== 'optional')
  const operator = operators[0]
  if (operators.every((name) => name === 'min' || name === 'max')) return isRange(value, operators)
  if (operators.length !== 1) return false
  if (operator === 'equals') return true
  if (operator === 'any') return value['any'] === true
  if (operator === 'prefix') return typeof value['prefix'] === 'string' && value['prefix'] !== ''
  const choices = value['one_of']
  return Array.isArray(choices) && choices.length > 0 && choices.length <= MAX_CHOICES
}

function isRange(value: JsonObject, operators: readonly string[]): boolean {
  return operators.length > 0 && operators.every((name) => Decimal.parse(value[name]) !== undefined)
}

/**
 * Checks raw parameters against constraints, closed at both ends.
 *
 * A parameter no constraint names is refused; a constraint whose parameter is missing is refused unless `optional`; an
 * operator that is not known is refused. Decimals compare as numbers; everything else compares as JSON, type included.
 */
export function satisfies(constraints: Constraints, parameters: JsonObject): Result<true, RefusalReason> {
  const known = checkConstraints(constraints)
  if (!known.ok) return known
  for (const name of Object.keys(parameters)) {
    if (!Object.hasOwn(constraints, name)) return refuse('parameters-invalid', 'a parameter is not named by the grant')
  }
  for (const [name, constraint] of Object.entries(constraints)) {
    const value = member(parameters, name)
    if (value === undefined) {
      if (constraint.optional !== true) return refuse('constraint-failed', 'a parameter the grant names is missing')
    } else if (!allows(constraint, value)) {
      return refuse('constraint-failed', 'a parameter is outside what was granted')
    }
  }
  return ok(true)
}

const isSame = (one: JsonValue, other: JsonValue): boolean =>
  typeof one === typeof other && (typeof one === 'object' ? canonicalize(one) === canonicalize(other) : one === other)

/** Dot segments, backslashes and control characters lead out of a prefix that is a path. */
// eslint-disable-next-line no-control-regex
const ESCAPES_PREFIX = /(^|\/)\.{1,2}(\/|$)|%2e|[\\\u0000-\u001f\u007f]/i

/** Whether one value is inside one constraint that was checked before. */
export function allows(constraint: Constraint, value: JsonValue): boolean {
  if ('equals' in constraint) return isSame(constraint.equals, value)
  if ('one_of' in constraint) return constraint.one_of.some((choice) => isSame(choice, value))
  if ('any' in constraint) return true
  if ('prefix' in constraint) {
    return typeof value === 'string' && value.startsWith(constraint.prefix) && !ESCAPES_PREFIX.test(value)
  }
  const amount = Decimal.parse(value)
  if (amount === undefined) return false
  if (constraint.min !== undefined && amount.lt(constraint.min)) return false
  return constraint.max === undefined || amount.lte(constraint.max)
}
