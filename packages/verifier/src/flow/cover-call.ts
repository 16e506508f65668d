import type { JsonObject, RefusalReason, Refused } from '@hallpass/core'
import { covers, parseParameters } from '@hallpass/core'
import { askOf } from '../call/ask-of.ts'
import type { BareCall } from '../token/bare-call.ts'
import type { GenuineToken } from '../token/genuine-token.ts'
import type { Attempt, Step } from './attempt.ts'
import { OUT_OF_ORDER } from './attempt.ts'

/** The grant covers exactly this action, resource and parameters; the handler's typed parameters come out of the same object. */
export const coveredCall: Step = (attempt) => {
  const { token, query, json, known } = attempt
  if (token === undefined) return OUT_OF_ORDER
  if (known !== undefined) {
    attempt.resource = known.resource
    attempt.parts = known.parts
    attempt.parameters = {}
    return known.refusal
  }
  const refusal = uncovered(attempt, token)
  const isBare = query === '' && json === undefined
  if (refusal !== undefined) {
    if (isBare) token.barred = bareCall(attempt, refusal)
    return refusal
  }
  const { planned, raw } = attempt
  attempt.parameters = {}
  if (planned.takesNothing && isEmpty(raw)) {
    if (isBare) token.bare = bareCall(attempt, undefined)
    return undefined
  }
  const parsed = parseParameters(planned.action, raw)
  if (!parsed.ok) return parsed
  attempt.parameters = parsed.value
  return undefined
}

/** Why the grant does not cover what this request asks for; undefined where it does. */
function uncovered(attempt: Attempt, token: GenuineToken): Refused<RefusalReason> | undefined {
  const { planned, call, path, query, json } = attempt
  const { method, route, mount } = call
  const asked = askOf(planned, { method, path, query, route, mount, body: json })
  if (!asked.ok) return asked
  const { resource, parts, parameters } = asked.value
  attempt.resource = resource
  attempt.parts = parts
  attempt.raw = parameters
  const covered = covers(token.entry, { audience: planned.audience, action: planned.name, resource, parameters })
  return covered.ok ? undefined : covered
}

function bareCall(attempt: Attempt, refusal: Refused<RefusalReason> | undefined): BareCall {
  const { planned, call, url, resource, parts } = attempt
  const { method, target, route, mount } = call
  return {
    planned,
    method,
    target,
    route: route === undefined ? undefined : { ...route },
    mount,
    url,
    refusal,
    resource,
    parts: Object.freeze(parts),
    facts: undefined,
  }
}

function isEmpty(value: JsonObject): boolean {
  for (const _ in value) return false
  return true
}
