import type { JsonObject } from '@hallpass/core'
import { covers, parseParameters } from '@hallpass/core'
import { askOf } from '../call/ask-of.ts'
import type { Step } from './attempt.ts'
import { OUT_OF_ORDER } from './attempt.ts'

/** The grant covers exactly this action, resource and parameters; the handler's typed parameters come out of the same object. */
export const coveredCall: Step = (attempt) => {
  const { planned, token, call, path, query, json, known } = attempt
  if (token === undefined) return OUT_OF_ORDER
  if (known !== undefined) {
    attempt.resource = known.resource
    attempt.parts = known.parts
    attempt.parameters = {}
    return undefined
  }
  const { method, route, mount } = call
  const asked = askOf(planned, { method, path, query, route, mount, body: json })
  if (!asked.ok) return asked
  const { resource, parts, parameters } = asked.value
  attempt.resource = resource
  attempt.parts = parts
  attempt.raw = parameters
  const covered = covers(token.entry, { audience: planned.audience, action: planned.name, resource, parameters })
  if (!covered.ok) return covered
  if (!planned.takesNothing || !isEmpty(parameters)) {
    const parsed = parseParameters(planned.action, parameters)
    if (!parsed.ok) return parsed
    attempt.parameters = parsed.value
    return undefined
  }
  attempt.parameters = {}
  if (query === '' && json === undefined) {
    token.bare = {
      planned,
      method,
      target: call.target,
      route: route === undefined ? undefined : { ...route },
      url: attempt.url,
      resource,
      parts: Object.freeze(parts),
    }
  }
  return undefined
}

function isEmpty(value: JsonObject): boolean {
  for (const _ in value) return false
  return true
}
