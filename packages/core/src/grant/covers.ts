import { sha256Base64url } from '#crypto'
import { matchResource } from '../catalog/resource.ts'
import { toUnits } from '../decimal/decimal.ts'
import { canonicalize } from '../json/canonicalize.ts'
import { isObject, member } from '../json/is-object.ts'
import type { JsonObject } from '../json/value.ts'
import type { RefusalReason } from '../reason.ts'
import { ok, refuse } from '../result.ts'
import type { Result } from '../result.ts'
import { satisfies } from './constraints.ts'
import type { Limit, ToolCallEntry } from './entry.ts'

const NO_PARAMETERS = `sha-256:${sha256Base64url('{}')}`

/** `sha-256:` and the base64url SHA-256 of the canonical JSON (RFC 8785) of raw parameters, before any schema ran. */
export function parameterDigest(parameters: JsonObject): string {
  // Every read without parameters comes by here.
  if (isEmpty(parameters)) return NO_PARAMETERS
  return `sha-256:${sha256Base64url(canonicalize(parameters))}`
}

/** Anything but a plain object is for `canonicalize` to write or to refuse. */
const isEmpty = (value: JsonObject): boolean =>
  isObject(value) && Object.getPrototypeOf(value) === Object.prototype && Object.keys(value).length === 0

/** What a request means: parameters are the raw JSON that was sent. */
export interface Ask {
  readonly audience: string
  readonly action: string
  readonly resource: string
  readonly parameters: JsonObject
}

/**
 * Whether a grant's entry covers exactly this request: audience, action, resource, and every parameter.
 *
 * `entry` was read by `parseToolCallEntry`. Does not look at time, counters, revocation or the proof.
 */
export function covers(entry: ToolCallEntry, ask: Ask): Result<true, RefusalReason> {
  if (entry.locations.length !== 1 || entry.locations[0] !== ask.audience) return refuse('audience-mismatch')
  if (entry.actions.length !== 1 || entry.actions[0] !== ask.action) return refuse('action-mismatch')
  if (!matchResource(entry.identifier, ask.resource)) return refuse('resource-mismatch')
  if (entry.parameter_digest !== undefined) {
    if (entry.constraints !== undefined) return refuse('details-invalid')
    return entry.parameter_digest === parameterDigest(ask.parameters) ? ok(true) : refuse('parameters-mismatch')
  }
  return entry.constraints === undefined ? refuse('details-invalid') : satisfies(entry.constraints, ask.parameters)
}

/**
 * What this request adds to each total: scaled units by parameter.
 *
 * `amount-invalid` where a parameter that a limit adds up is missing, negative, finer than the scale, or not a plain
 * decimal string, and where two limits count one parameter in different scales.
 */
export function amountsFor(
  limits: readonly Limit[],
  parameters: JsonObject,
): Result<Record<string, number>, RefusalReason> {
  const amounts: Record<string, number> = {}
  const scales = new Map<string, number>()
  for (const { parameter, scale = 0 } of limits) {
    if (parameter === undefined) continue
    const before = scales.get(parameter)
    if (before !== undefined && before !== scale)
      return refuse('amount-invalid', 'two limits count one parameter in different scales')
    scales.set(parameter, scale)
    const value = member(parameters, parameter)
    const units = typeof value === 'string' ? toUnits(value, scale) : undefined
    if (units?.ok !== true)
      return refuse('amount-invalid', 'a parameter that a total counts is missing or not an amount')
    Object.defineProperty(amounts, parameter, {
      value: units.value,
      enumerable: true,
      configurable: true,
      writable: true,
    })
  }
  return ok(amounts)
}
