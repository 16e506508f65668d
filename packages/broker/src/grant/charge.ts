import {
  amountsFor,
  ok,
  refuse,
  toUnits,
  type Constraint,
  type GrantRecord,
  type Limit,
  type RefusalReason,
  type Result,
  type ToolCallEntry,
  type JsonObject,
} from '@hallpass/core'

type Charge = NonNullable<GrantRecord['chargeAtIssue']>

export interface SplitLimits {
  /** What the verifier's own store counts. */
  readonly limits: readonly Limit[]
  readonly chargeAtIssue?: Charge
}

/**
 * Splits limits where an API counts in a store of its own (rule 3): what spans ledgers is charged here, at issue and at
 * its worst, so that no number of verifiers can pass it; what is the grant's alone travels in the token.
 */
export function splitLimits(
  limits: readonly Limit[],
  entry: Pick<ToolCallEntry, 'constraints'>,
  parameters: JsonObject,
): Result<SplitLimits, RefusalReason> {
  const own = limits.filter(({ per }) => per === 'grant')
  const spanning = limits.filter(({ per }) => per !== 'grant')
  if (spanning.length === 0) return ok({ limits: own })
  const uses = own.find(({ parameter }) => parameter === undefined)?.max
  if (uses === undefined) return refuse('limit-exceeded', 'a grant without a number of uses cannot be charged at issue')
  const amounts = entry.constraints ? worstAmounts(spanning, entry.constraints) : amountsFor(spanning, parameters)
  if (!amounts.ok) return amounts
  return ok({ limits: own, chargeAtIssue: { limits: spanning, amounts: amounts.value, uses } })
}

/** The most one use could add, as far as the constraints bound it; what they do not bound is refused. */
function worstAmounts(
  limits: readonly Limit[],
  constraints: Readonly<Record<string, Constraint>>,
): Result<Record<string, number>, RefusalReason> {
  const amounts: Record<string, number> = {}
  for (const { parameter, scale = 0 } of limits) {
    if (parameter === undefined) continue
    const constraint = Object.hasOwn(constraints, parameter) ? constraints[parameter] : undefined
    const most = constraint && mostOf(constraint, scale)
    if (most === undefined)
      return refuse('amount-invalid', 'the constraints do not bound a parameter that a total adds up')
    const before = Object.hasOwn(amounts, parameter) ? amounts[parameter] : undefined
    if (before !== undefined && before !== most)
      return refuse('amount-invalid', 'two limits count one parameter in different scales')
    amounts[parameter] = most
  }
  return ok(amounts)
}

function mostOf(constraint: Constraint, scale: number): number | undefined {
  const values =
    'equals' in constraint
      ? [constraint.equals]
      : 'one_of' in constraint
        ? constraint.one_of
        : 'max' in constraint
          ? [constraint.max]
          : []
  const units = values.map((value) => (typeof value === 'string' ? toUnits(value, scale) : undefined))
  if (units.length === 0) return undefined
  return units.reduce<number | undefined>(
    (most, unit) => (most !== undefined && unit?.ok ? Math.max(most, unit.value) : undefined),
    0,
  )
}
