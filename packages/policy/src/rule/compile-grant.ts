import { decimalSpec, Decimal } from '@hallpass/core'
import type { Action, Constraints, JsonObject, JsonValue } from '@hallpass/core'
import { isRecord } from '../definition/reader.ts'
import type { Problems } from '../definition/reader.ts'
import { allowsDefault, readConstraints } from '../grant/fits-constraints.ts'
import type { Tier } from './tier.ts'

export interface Width {
  readonly resource: 'exact' | 'class'
  readonly constraints?: Constraints
}

interface GrantContext {
  readonly action: Action
  readonly tier: Tier
  readonly where: string
  readonly problems: Problems
}

/** How wide a rule's grants for one action may be, checked against the action's risk and parameters. */
export function compileGrant(value: unknown, context: GrantContext): Width {
  const { action, tier, where, problems } = context
  if (value === undefined) return { resource: 'exact' }
  if (!isRecord(value)) {
    problems.add(where, 'has to be an object')
    return { resource: 'exact' }
  }
  problems.closed(value, where, ['resource', 'parameters'])
  const { resource = 'exact', parameters = 'exact' } = value
  if (resource !== 'exact' && resource !== 'class') problems.add(where, "'resource' has to be 'exact' or 'class'")
  if (resource === 'class' && !tier.mayClass) {
    problems.add(where, `'resource' stays 'exact' for '${action.name}', whose risk is ${action.risk}`)
  }
  const wide = resource === 'class' ? 'class' : 'exact'
  if (parameters === 'exact') return { resource: wide }
  if (!tier.mayConstrain)
    problems.add(where, `'parameters' stays 'exact' for '${action.name}', whose risk is ${action.risk}`)
  const constraints = compileConstraints(parameters, { ...context, where: `${where}.parameters` })
  return constraints === undefined ? { resource: wide } : { resource: wide, constraints }
}

function compileConstraints(value: unknown, { action, where, problems }: GrantContext): Constraints | undefined {
  const copied = copy(value)
  const known = copied === undefined ? undefined : readConstraints(copied, action)
  if (known === undefined) {
    problems.add(where, "has to be 'exact' or one of equals, one_of, min and max, prefix or any for each parameter")
    return undefined
  }
  const { shape } = action.parameters
  for (const [name, constraint] of Object.entries(known)) {
    if (!Object.hasOwn(shape, name)) {
      problems.add(where, `'${name}' is not a parameter of '${action.name}'`)
      continue
    }
    const isDecimal = decimalSpec(shape[name]) !== undefined
    const isRange = 'min' in constraint || 'max' in constraint
    if (!('any' in constraint) && isRange !== isDecimal) {
      problems.add(
        where,
        `'${name}' is ${isDecimal ? 'a decimal, which takes min and max' : 'not a decimal, which min and max are for'}`,
      )
    }
    if (isRange && isEmpty(constraint)) problems.add(where, `'${name}' has a min above its max`)
    if (!allowsDefault(name, constraint, action)) {
      problems.add(where, `'${name}' may be left out, and the default it then takes is outside its constraint`)
    }
  }
  for (const [name, schema] of Object.entries(shape)) {
    const isRequired = !schema.safeParse(undefined).success
    if (isRequired && !Object.hasOwn(known, name)) {
      problems.add(where, `'${name}' is required by '${action.name}', and what is not named may not be sent`)
    }
  }
  return freezeAll(known)
}

function isEmpty(constraint: { readonly min?: string; readonly max?: string }): boolean {
  const { min, max } = constraint
  return min !== undefined && max !== undefined && Decimal.of(min).gt(max)
}

/** Plain JSON only: what JSON cannot say is not a constraint. */
function copy(value: unknown): JsonObject | undefined {
  if (!isRecord(value)) return undefined
  try {
    return JSON.parse(JSON.stringify(value)) as JsonObject
  } catch {
    return undefined
  }
}

function freezeAll<T extends JsonValue | Constraints>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const part of Object.values(value)) freezeAll(part)
  }
  return value
}
