import { HallpassError } from '../fault.ts'
import { ok, refuse } from '../result.ts'
import type { Result } from '../result.ts'

const MAX_SCALE = 20
const PLAIN = /^(-?)(0|[1-9][0-9]{0,39})(?:\.([0-9]{1,20}))?$/

/** An exact decimal number; compared by its methods only, never by operators and never as text. */
export class Decimal {
  private readonly units: bigint
  private readonly digits: number

  private constructor(units: bigint, scale: number) {
    this.units = units
    this.digits = scale
  }

  /** Reads a plain decimal: no exponent, no plus, no leading zeros, no negative zero. Undefined for anything else. */
  static parse(text: unknown): Decimal | undefined {
    if (typeof text !== 'string') return undefined
    const match = PLAIN.exec(text)
    if (match === null) return undefined
    const [, sign, whole = '', fraction = ''] = match
    const units = BigInt(whole + fraction)
    if (sign === '-' && units === 0n) return undefined
    return new Decimal(sign === '-' ? -units : units, fraction.length)
  }

  /** Like `parse`, for literals in code: throws `configuration-invalid` where `parse` returns undefined. */
  static of(text: string | Decimal): Decimal {
    const value = text instanceof Decimal ? text : Decimal.parse(text)
    if (value === undefined) {
      throw new HallpassError(
        'configuration-invalid',
        "Not a plain decimal. Write it like '42.50': digits, one point, no exponent.",
      )
    }
    return value
  }

  /** Fraction digits as written. */
  get scale(): number {
    return this.digits
  }

  get isNegative(): boolean {
    return this.units < 0n
  }

  /** -1, 0 or 1. */
  compare(other: Decimal | string): -1 | 0 | 1 {
    const [left, right] = align(this, Decimal.of(other))
    if (left === right) return 0
    return left < right ? -1 : 1
  }

  lt(other: Decimal | string): boolean {
    return this.compare(other) < 0
  }

  lte(other: Decimal | string): boolean {
    return this.compare(other) <= 0
  }

  gt(other: Decimal | string): boolean {
    return this.compare(other) > 0
  }

  gte(other: Decimal | string): boolean {
    return this.compare(other) >= 0
  }

  eq(other: Decimal | string): boolean {
    return this.compare(other) === 0
  }

  add(other: Decimal | string): Decimal {
    const addend = Decimal.of(other)
    const [left, right] = align(this, addend)
    return new Decimal(left + right, Math.max(this.digits, addend.digits))
  }

  /** The value times 10^scale (0 to 20), or undefined when that is not an integer. */
  unitsAt(scale: number): bigint | undefined {
    // An unbounded power is minutes of work.
    if (!Number.isInteger(scale) || scale < 0 || scale > MAX_SCALE) return undefined
    if (scale >= this.digits) return this.units * 10n ** BigInt(scale - this.digits)
    const divisor = 10n ** BigInt(this.digits - scale)
    return this.units % divisor === 0n ? this.units / divisor : undefined
  }

  toString(): string {
    const negative = this.units < 0n
    const digits = String(negative ? -this.units : this.units).padStart(this.digits + 1, '0')
    const whole = digits.slice(0, digits.length - this.digits)
    const fraction = digits.slice(digits.length - this.digits)
    return `${negative ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`
  }

  toJSON(): string {
    return this.toString()
  }

  /** Throws: an operator would compare decimals as text or as doubles. */
  valueOf(): never {
    throw new HallpassError(
      'configuration-invalid',
      'A Decimal has no number value. Compare with lt, lte, gt, gte or eq; add with add.',
    )
  }

  [Symbol.toPrimitive](hint: string): string {
    return hint === 'string' ? this.toString() : this.valueOf()
  }
}

function align(left: Decimal, right: Decimal): [bigint, bigint] {
  const scale = Math.max(left.scale, right.scale)
  return [left.unitsAt(scale) ?? 0n, right.unitsAt(scale) ?? 0n]
}

/**
 * A non-negative decimal as an integer count of 10^-scale units, at most 2^53 - 1.
 *
 * `amount-invalid` for anything else: negative, more digits than `scale`, too large, not a plain decimal string.
 */
export function toUnits(amount: string | Decimal, scale: number): Result<number, 'amount-invalid'> {
  const value = amount instanceof Decimal ? amount : Decimal.parse(amount)
  const units = value === undefined || value.isNegative ? undefined : value.unitsAt(scale)
  if (units === undefined || units > BigInt(Number.MAX_SAFE_INTEGER)) return refuse('amount-invalid')
  return ok(Number(units))
}
