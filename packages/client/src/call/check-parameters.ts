import type { Action, JsonObject } from '@hallpass/core'
import { parseParameters, parseStrictJson } from '@hallpass/core'
import type { Refusal } from '../outcome/refusal.ts'
import { refusal } from '../outcome/refusal.ts'
import { asObject } from '../wire/json-object.ts'

const NAME = /^[\w.-]{1,64}$/

/**
 * Copies the parameters as the JSON that will travel, and checks them against the catalog before anybody is asked.
 *
 * @returns a refusal whose message names the parameters that are wrong, never their values.
 */
export function checkParameters(
  action: Action,
  parameters: unknown,
): { readonly ok: true; readonly value: JsonObject } | Refusal {
  const copy = jsonCopy(parameters ?? {})
  if (copy === undefined) return refusal('parameters-invalid')
  if (parseParameters(action, copy).ok) return { ok: true, value: copy }
  const names = wrongNames(action, copy)
  return refusal(
    'parameters-invalid',
    names.length === 0 ? {} : { hint: `Check these parameters: ${names.join(', ')}.` },
  )
}

/** `undefined` members fall away, as they would on the wire; what JSON cannot say is refused. */
function jsonCopy(value: unknown): JsonObject | undefined {
  try {
    const parsed = parseStrictJson(JSON.stringify(value))
    return parsed.ok ? asObject(parsed.value) : undefined
  } catch {
    return undefined
  }
}

function wrongNames(action: Action, parameters: JsonObject): string[] {
  try {
    const issues = action.parameters.safeParse(parameters).error?.issues ?? []
    const names = issues.flatMap((issue) => (issue.code === 'unrecognized_keys' ? issue.keys : [String(issue.path[0])]))
    return [...new Set(names)].filter((name) => NAME.test(name)).slice(0, 10)
  } catch {
    return []
  }
}
