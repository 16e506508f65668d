import { z } from 'zod'
import { HallpassError } from '../fault.ts'
import { Decimal } from './decimal.ts'

/** What a decimal parameter counts: fraction digits, and the unit where one was named. */
export interface DecimalSpec {
  readonly scale: number
  readonly unit?: string
}

/** String on the wire, `Decimal` in policy and handler. */
export type DecimalSchema = z.ZodPipe<z.ZodString, z.ZodTransform<Decimal, string>>

/** Keyed by the transform inside the schema, which survives `.describe()`, `.meta()` and other clones. */
const specs = new WeakMap<object, DecimalSpec>()
const MAX_SCALE = 15

/**
 * A zod schema for an exact amount: a plain decimal string in, a `Decimal` out.
 *
 * `scale` is the most fraction digits it takes (default 2), `unit` names what is counted, `signed` allows a minus.
 * Throws `api-invalid` for a scale outside 0 to 15.
 */
export function decimal(
  options: { readonly scale?: number; readonly unit?: string; readonly signed?: true } = {},
): DecimalSchema {
  const { scale = 2, unit, signed } = options
  if (!Number.isInteger(scale) || scale < 0 || scale > MAX_SCALE) {
    throw new HallpassError('api-invalid', `decimal() takes a scale from 0 to ${MAX_SCALE}.`)
  }
  const read = z.transform<string, Decimal>((text, context) => {
    const value = Decimal.parse(text)
    if (value !== undefined && value.scale <= scale && (signed === true || !value.isNegative)) return value
    context.issues.push({
      code: 'custom',
      message: `expected a plain decimal with at most ${scale} fraction digits`,
      input: '',
    })
    return z.NEVER
  })
  specs.set(read, unit === undefined ? { scale } : { scale, unit })
  return z.pipe(z.string(), read)
}

interface Definition {
  readonly type: string
  readonly innerType?: z.ZodType
  readonly out?: z.ZodType
}

/** What `decimal()` was asked for, through optional, nullable and default; undefined for another schema. */
export function decimalSpec(schema: unknown): DecimalSpec | undefined {
  const definition = (schema as { _zod?: { def?: Definition } } | undefined)?._zod?.def
  if (definition === undefined) return undefined
  if (definition.type === 'pipe' && definition.out !== undefined)
    return specs.get(definition.out) ?? decimalSpec(definition.out)
  return definition.innerType === undefined ? undefined : decimalSpec(definition.innerType)
}
