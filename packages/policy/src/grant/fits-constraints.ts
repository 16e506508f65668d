import { covers, Decimal, DETAIL_TYPE, parseToolCallEntry } from '@hallpass/core'
import type { Action, Constraint, Constraints, JsonObject, JsonValue, ToolCallEntry } from '@hallpass/core'
import type { Ask } from '../request/ask.ts'

/** An entry that is about nothing but constraints: what holds for it here holds at the verifier. */
const entryOf = ({ audience, name, kind }: Action, constraints: Constraints): ToolCallEntry => ({
  type: DETAIL_TYPE.toolCall,
  locations: [audience],
  actions: [name],
  identifier: `${kind}:*`,
  limits: [],
  constraints,
})

/** Reads constraints as a verifier would; undefined where it would refuse them. */
export function readConstraints(value: JsonObject, action: Action): Constraints | undefined {
  const entry = { ...entryOf(action, {}), constraints: value } as unknown as JsonObject
  const read = parseToolCallEntry(entry)
  return read.ok ? read.value.constraints : undefined
}

/** Whether the raw parameters that were asked are inside these constraints, as a verifier would judge. */
export function fitsConstraints(constraints: Constraints, { action, request, raw }: Ask): boolean {
  const { audience, name } = action
  return covers(entryOf(action, constraints), { audience, action: name, resource: request.resource, parameters: raw })
    .ok
}

/**
 * Whether the value that a schema gives a parameter which is left out is inside its constraint: verifiers judge what was
 * sent, and the handler gets this.
 */
export function allowsDefault(name: string, constraint: Constraint, action: Action): boolean {
  const left = action.parameters.shape[name]?.safeParse(undefined)
  if (constraint.optional !== true || left?.success !== true || left.data === undefined) return true
  const value = left.data instanceof Decimal ? left.data.toString() : (left.data as JsonValue)
  const ask = { audience: action.audience, action: action.name, resource: `${action.kind}:any` }
  return covers(entryOf(action, { [name]: constraint }), { ...ask, parameters: { [name]: value } }).ok
}
