import type { JsonObject, JsonValue, Outcome, RedeemAnswer } from '@hallpass/core'
import { isJsonObject, isRefusalReason } from '@hallpass/core'

/** Reads one answer to a redeem; undefined for anything a broker does not say. */
export function parseRedeemAnswer(value: JsonValue | undefined): RedeemAnswer | undefined {
  if (!isJsonObject(value)) return undefined
  const { ok: passed, state, reservation, at, usesLeft, event, outcome, reason, limit } = value
  if (passed === false) {
    if (typeof reason !== 'string' || !isRefusalReason(reason)) return undefined
    return { ok: false, reason, ...(typeof limit === 'string' ? { limit } : {}) }
  }
  if (passed !== true) return undefined
  if (state === 'first') {
    if (typeof reservation !== 'string' || reservation === '' || typeof at !== 'number' || typeof usesLeft !== 'number')
      return undefined
    return { ok: true, state, reservation, at, usesLeft }
  }
  if (typeof event !== 'string') return undefined
  if (state === 'running' || state === 'unknown') return { ok: true, state, event }
  return state === 'done' && isOutcome(outcome) ? { ok: true, state, event, outcome } : undefined
}

/** Whether a settle was taken. */
export const isDone = (value: JsonValue | undefined): boolean => isJsonObject(value) && value['ok'] === true

/** Whether a use came back; undefined where the broker did not say. */
export const releasedIn = (value: JsonValue | undefined): boolean | undefined =>
  isJsonObject(value) && value['ok'] === true && typeof value['released'] === 'boolean' ? value['released'] : undefined

function isOutcome(value: JsonValue | undefined): value is JsonObject & Outcome {
  if (!isJsonObject(value) || !Number.isSafeInteger(value['status'])) return false
  return [value['contentType'], value['body']].every((member) => member === undefined || typeof member === 'string')
}
