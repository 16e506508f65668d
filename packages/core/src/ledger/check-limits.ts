import type { Limit } from '../grant/entry.ts'
import type { RefusalReason } from '../reason.ts'
import type { Refused } from '../result.ts'
import { refuse } from '../result.ts'
import type { GrantRecord } from './ledger.ts'

type Scope = Limit['per']

/**
 * Refuses limits that could not be enforced: ill-typed caps, two for one counter, an agent limit without its window,
 * a scope that this ledger does not hold. Does not say whether they are the limits that policy meant.
 */
export function checkLimits(limits: readonly Limit[], scopes: readonly Scope[]): Refused<RefusalReason> | undefined {
  for (const [index, limit] of limits.entries()) {
    const problem = problemOf(limit, scopes) ?? (index > 0 ? clashOf(limit, limits.slice(0, index)) : undefined)
    if (problem !== undefined) return refuse('details-invalid', `Limit ${limit.id}: ${problem}`)
  }
  return undefined
}

/** What keeps a limit from standing beside those before it. */
function clashOf(limit: Limit, before: readonly Limit[]): string | undefined {
  for (const other of before) {
    const isSameCounter = other.id === limit.id && other.per === limit.per
    if (isSameCounter && (other.window_seconds ?? 0) === (limit.window_seconds ?? 0)) return 'it is named twice'
    // Amounts come by parameter: one in cents cannot fill a total in tenths of a cent.
    if (other.parameter === limit.parameter && (other.scale ?? 0) !== (limit.scale ?? 0)) {
      return 'it scales its parameter in another way'
    }
  }
  return undefined
}

/** A grant without a cap on its own calls could be used without end. */
export const capsOwnCalls = (limits: readonly Limit[]): boolean =>
  limits.some(({ per, parameter }) => per === 'grant' && parameter === undefined)

/** Refuses a grant whose limits cannot be counted, wherever they are kept, before any counter exists for them. */
export function whyNotCounted({
  limits,
  chargeAtIssue,
}: Pick<GrantRecord, 'limits' | 'chargeAtIssue'>): Refused<RefusalReason> | undefined {
  const problem = checkLimits(limits, ['grant', 'task', 'agent'])
  if (problem !== undefined) return problem
  if (!capsOwnCalls(limits)) return refuse('details-invalid', 'The grant has no cap on its own calls')
  if (chargeAtIssue === undefined) return undefined
  const problemAtIssue = checkLimits(chargeAtIssue.limits, ['task', 'agent'])
  if (problemAtIssue !== undefined) return problemAtIssue
  const isForSome = Number.isSafeInteger(chargeAtIssue.uses) && chargeAtIssue.uses > 0
  return isForSome ? undefined : refuse('details-invalid', 'A charge at issue is for 1 use or more')
}

function problemOf(limit: Limit, scopes: readonly Scope[]): string | undefined {
  if (typeof limit.id !== 'string' || limit.id === '') return 'the id is missing'
  if (!scopes.includes(limit.per)) return `per ${limit.per} cannot be counted here`
  if (!isCount(limit.max)) return 'max is not a whole number from 0 to 2^53 - 1'
  if (limit.scale !== undefined && !isCount(limit.scale)) return 'scale is not a whole number'
  if (limit.parameter === undefined && (limit.scale !== undefined || limit.unit !== undefined)) {
    return 'scale and unit belong to a parameter'
  }
  const hasWindow = isCount(limit.window_seconds) && limit.window_seconds > 0
  if (limit.per === 'agent' && !hasWindow) return 'per agent needs window_seconds of 1 or more'
  if (limit.per !== 'agent' && limit.window_seconds !== undefined) return 'window_seconds belongs to per agent'
  return undefined
}

const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
