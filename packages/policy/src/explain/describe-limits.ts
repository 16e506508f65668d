import type { Limit } from '@hallpass/core'
import { decimalOf } from '../request/task-view.ts'

/** `1 call per grant, amount up to 200.00 EUR per task (42.00 spent)` */
export function describeLimits(limits: readonly Limit[], spent: Readonly<Record<string, number>> = {}): string {
  return limits
    .map((limit) =>
      describeLimit(limit, limit.per === 'task' && Object.hasOwn(spent, limit.id) ? spent[limit.id] : undefined),
    )
    .join(', ')
}

function describeLimit(
  { id, per, max, parameter, scale = 0, unit, window_seconds: window }: Limit,
  spent: number | undefined,
): string {
  const over = /^(?:calls|total):([^:]+)/.exec(id)?.[1]
  const scope = `per ${per}${window === undefined ? '' : ` in ${window} s`}${over === undefined ? '' : ` over ${over.replaceAll('+', ', ')}`}`
  if (parameter === undefined)
    return `${max} ${max === 1 ? 'call' : 'calls'} ${scope}${spent === undefined ? '' : ` (${spent} used)`}`
  const suffix = unit === undefined ? '' : ` ${unit}`
  const used = spent === undefined ? '' : ` (${decimalOf(spent, scale).toString()} spent)`
  return `${parameter} up to ${decimalOf(max, scale).toString()}${suffix} ${scope}${used}`
}
