import type { JsonObject } from '@hallpass/core'
import { covers, parseParameters } from '@hallpass/core'
import { askOf } from '../call/ask-of.ts'
import type { Step } from './attempt.ts'
import { OUT_OF_ORDER } from './attempt.ts'

/** The grant covers exactly this action, resource and parameters; the handler's typed parameters come out of the same object. */
export const coveredCall: Step = (attempt) => {
  const { planned, token, call, path, query, json } = attempt
  if (token === undefined) return OUT_OF_ORDER
  const asked = askOf(planned, { method: call.method, path, query, route: call.route, body: json })
  if (!asked.ok) return asked
  const { resource, parameters } = asked.value
  attempt.resource = resource
  attempt.parts = asked.value.parts
  attempt.raw = parameters
  const bare = isEmpty(parameters)
  // `covers` is pure and all else in this ask is fixed by the token: an equal ask has the answer it had.
  if (!bare || token.coveredBare !== resource || token.entry.actions[0] !== planned.name) {
    const covered = covers(token.entry, { audience: planned.audience, action: planned.name, resource, parameters })
    if (!covered.ok) return covered
    if (bare) token.coveredBare = resource
  }
  if (bare && planned.takesNothing) {
    attempt.parameters = {}
    return undefined
  }
  const parsed = parseParameters(planned.action, parameters)
  if (!parsed.ok) return parsed
  attempt.parameters = parsed.value
  return undefined
}

function isEmpty(value: JsonObject): boolean {
  for (const _ in value) return false
  return true
}
