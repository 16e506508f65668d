import { matchResource } from '../catalog/resource.ts'
import { Decimal } from '../decimal/decimal.ts'
import { allows, checkConstraints } from './constraints.ts'
import type { Constraint, Constraints, Limit, ToolCallEntry } from './entry.ts'

/**
 * Whether one entry lies inside another: whatever `child` covers, `parent` covers, and no limit got wider.
 *
 * True only where that can be shown: a child with a digest inside a parent with constraints is not, as its parameters
 * are not known here. Does not look at time or at what was used already.
 */
export function narrower(child: ToolCallEntry, parent: ToolCallEntry): boolean {
  if (child.type !== parent.type || child.locations.length !== 1 || child.actions.length !== 1) return false
  if (child.locations[0] !== parent.locations[0] || child.actions[0] !== parent.actions[0]) return false
  if (child.identifier !== parent.identifier && !matchResource(parent.identifier, child.identifier)) return false
  if (!parent.limits.every((limit) => child.limits.some((own) => isTighter(own, limit)))) return false
  if (parent.parameter_digest !== undefined) return child.parameter_digest === parent.parameter_digest
  if (parent.constraints === undefined || child.constraints === undefined) return false
  return isInside(child.constraints, parent.constraints)
}

function isTighter(own: Limit, limit: Limit): boolean {
  const isSame =
    own.id === limit.id &&
    own.per === limit.per &&
    own.parameter === limit.parameter &&
    (own.scale ?? 0) === (limit.scale ?? 0) &&
    own.unit === limit.unit &&
    own.window_seconds === limit.window_seconds
  return isSame && own.max <= limit.max
}

function isInside(child: Constraints, parent: Constraints): boolean {
  if (!checkConstraints(child).ok || !checkConstraints(parent).ok) return false
  const named = Object.keys(child).every((name) => {
    const wider = Object.hasOwn(parent, name) ? parent[name] : undefined
    const own = child[name]
    return wider !== undefined && own !== undefined && isWithin(own, wider)
  })
  // What the parent needs, the child must need too: it would let a request without it pass.
  const needed = Object.keys(parent).filter((name) => parent[name]?.optional !== true)
  return named && needed.every((name) => Object.hasOwn(child, name) && child[name]?.optional !== true)
}

function isWithin(own: Constraint, wider: Constraint): boolean {
  if ('any' in wider) return true
  if ('equals' in own) return allows(wider, own.equals)
  if ('one_of' in own) return own.one_of.every((choice) => allows(wider, choice))
  if ('prefix' in own) return 'prefix' in wider && own.prefix.startsWith(wider.prefix)
  if ('any' in own || 'equals' in wider || 'one_of' in wider || 'prefix' in wider) return false
  const lowFits = wider.min === undefined || (own.min !== undefined && Decimal.of(own.min).gte(wider.min))
  const highFits = wider.max === undefined || (own.max !== undefined && Decimal.of(own.max).lte(wider.max))
  return lowFits && highFits
}
