import { Decimal } from '@hallpass/core'
import type { Ask } from './ask.ts'

/** What the task did so far, as rules may ask it. */
export class TaskView {
  readonly openedAt: number
  readonly deadline: number
  readonly refusals: number
  readonly #ask: Ask

  constructor(ask: Ask) {
    const { openedAt, deadline, refusals } = ask.request.task
    this.openedAt = openedAt
    this.deadline = deadline
    this.refusals = refusals
    this.#ask = ask
    Object.freeze(this)
  }

  uses(action: string): number {
    const { model, request } = this.#ask
    if (!model.actions.has(action)) throw new TypeError('uses() was asked for an action the policy does not have')
    return own(request.task.uses, action)
  }

  spent(action: string, parameter: string): Decimal {
    const { model, request } = this.#ask
    const total = model.taskTotals.get(`${action} ${parameter}`)
    if (total === undefined)
      throw new TypeError('spent() was asked for a total that no rule sets for this action alone')
    return decimalOf(own(request.task.spent, total.id), total.scale)
  }
}

Object.freeze(TaskView.prototype)

const own = (counts: Readonly<Record<string, number>>, name: string): number =>
  Object.hasOwn(counts, name) ? (counts[name] ?? 0) : 0

/** Scaled units back to a decimal: 4200 at scale 2 is 42.00. */
export function decimalOf(units: number, scale: number): Decimal {
  const digits = String(units).padStart(scale + 1, '0')
  const whole = digits.slice(0, digits.length - scale)
  return Decimal.of(scale === 0 ? whole : `${whole}.${digits.slice(-scale)}`)
}
