import { isObject } from '../json/is-object.ts'
import type { JsonObject, JsonValue } from '../json/value.ts'
import type { RefusalReason } from '../reason.ts'
import { ok, refuse } from '../result.ts'
import type { Refused, Result } from '../result.ts'
import { DETAIL_TYPE } from '../token/constants.ts'
import { checkConstraints } from './constraints.ts'
import type { Ceiling, Limit, TaskEntry, ToolCallEntry, ToolCallRequest } from './entry.ts'

const MAX_TEXT = 512
const MAX_NOTE = 256
const MAX_LIMITS = 16
const MAX_LIST = 64
const DIGEST = /^sha-256:[A-Za-z0-9_-]{43}$/

const invalid = (detail: string): Refused<RefusalReason> => refuse('details-invalid', detail)

const isText = (value: JsonValue | undefined): value is string =>
  typeof value === 'string' && value !== '' && value.length <= MAX_TEXT && !hasControls(value)

function hasControls(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code < 0x20 || code === 0x7f) return true
  }
  return false
}

const isOneText = (value: JsonValue | undefined): boolean =>
  Array.isArray(value) && value.length === 1 && isText((value as readonly JsonValue[])[0])

const isTextList = (value: JsonValue | undefined): boolean =>
  Array.isArray(value) && value.length > 0 && value.length <= MAX_LIST && value.every((item: JsonValue) => isText(item))

/** Walks without making a list of names: this runs several times for every token that is new. */
function isClosed(object: JsonObject, members: ReadonlySet<string>): boolean {
  for (const name in object) if (!members.has(name)) return false
  return true
}

const isCount = (value: JsonValue | undefined, least: number): value is number =>
  Number.isSafeInteger(value) && (value as number) >= least

const TASK_MEMBERS = new Set(['type', 'purpose', 'note', 'ceiling', 'deadline'])
const CEILING_MEMBERS = new Set(['actions', 'resources'])

/** Reads the entry that opens a task (RFC 9396); an unknown member, or a known one of another shape, is refused. */
export function parseTaskEntry(value: JsonValue): Result<TaskEntry, RefusalReason> {
  if (!isObject(value) || value['type'] !== DETAIL_TYPE.task) return invalid('not a task entry')
  if (!isClosed(value, TASK_MEMBERS)) return invalid('the task entry has a member this profile does not know')
  const { purpose, note, ceiling, deadline } = value
  if (!isText(purpose)) return invalid('the task entry needs a purpose')
  if (note !== undefined && (typeof note !== 'string' || note.length > MAX_NOTE))
    return invalid('the note is text of at most 256 characters')
  if (deadline !== undefined && !isCount(deadline, 1)) return invalid('the deadline is a NumericDate')
  if (ceiling !== undefined && !isCeiling(ceiling)) return invalid('the ceiling lists actions or resources')
  return ok(value as unknown as TaskEntry)
}

function isCeiling(value: JsonValue): value is JsonObject & Ceiling {
  if (!isObject(value) || !isClosed(value, CEILING_MEMBERS)) return false
  const { actions, resources } = value
  return (actions === undefined || isTextList(actions)) && (resources === undefined || isTextList(resources))
}

const REQUEST_MEMBERS = new Set(['type', 'locations', 'actions', 'identifier', 'parameters'])
const ENTRY_MEMBERS = new Set([
  'type',
  'locations',
  'actions',
  'identifier',
  'limits',
  'parameter_digest',
  'constraints',
])

function checkToolCall(value: JsonValue, members: ReadonlySet<string>): Result<JsonObject, RefusalReason> {
  if (!isObject(value) || value['type'] !== DETAIL_TYPE.toolCall) return invalid('not a tool-call entry')
  if (!isClosed(value, members)) return invalid('the tool-call entry has a member this profile does not know')
  if (!isOneText(value['locations'])) return invalid('locations holds exactly one audience')
  if (!isOneText(value['actions'])) return invalid('actions holds exactly one action')
  const { identifier } = value
  if (!isText(identifier) || identifier.indexOf(':') < 1 || identifier.endsWith(':'))
    return invalid('identifier is kind:id')
  return ok(value)
}

/** Reads what a client sends to ask for a grant: one audience, one action, one resource, its parameters; nothing else. */
export function parseToolCallRequest(value: JsonValue): Result<ToolCallRequest, RefusalReason> {
  const checked = checkToolCall(value, REQUEST_MEMBERS)
  if (!checked.ok) return checked
  const { parameters } = checked.value
  if (parameters !== undefined && !isObject(parameters)) return invalid('parameters is an object')
  return ok(checked.value as unknown as ToolCallRequest)
}

/** Reads the entry of a grant: a digest of the parameters or constraints over them, never both, never neither. */
export function parseToolCallEntry(value: JsonValue): Result<ToolCallEntry, RefusalReason> {
  const checked = checkToolCall(value, ENTRY_MEMBERS)
  if (!checked.ok) return checked
  const { limits, parameter_digest: digest, constraints } = checked.value
  if (!isLimits(limits)) return invalid('limits is a list of limits this profile knows')
  if ((digest === undefined) === (constraints === undefined))
    return invalid('there is a parameter digest or constraints, one of them')
  if (digest !== undefined && !(typeof digest === 'string' && DIGEST.test(digest)))
    return invalid('the parameter digest is sha-256')
  if (constraints !== undefined) {
    const known = checkConstraints(constraints)
    if (!known.ok) return known
  }
  return ok(checked.value as unknown as ToolCallEntry)
}

const isPer = (value: JsonValue | undefined): boolean => value === 'grant' || value === 'task' || value === 'agent'

const LIMIT_MEMBERS = new Set(['id', 'per', 'max', 'parameter', 'scale', 'unit', 'window_seconds'])

function isLimits(value: JsonValue | undefined): boolean {
  if (!Array.isArray(value) || value.length > MAX_LIMITS) return false
  const limits = value as readonly JsonValue[]
  for (let index = 0; index < limits.length; index++) {
    const limit = limits[index]
    if (!isLimit(limit)) return false
    // At most 16: comparing each with each is cheaper than a set of names made up for it.
    for (let before = 0; before < index; before++) if (isSameCounter(limits[before], limit)) return false
  }
  return true
}

const isSameCounter = (one: JsonValue | undefined, other: Limit): boolean =>
  isObject(one) && one['per'] === other.per && one['id'] === other.id

function isLimit(value: JsonValue | undefined): value is JsonObject & Limit {
  if (!isObject(value) || !isClosed(value, LIMIT_MEMBERS)) return false
  const { id, per, max, parameter, scale, unit, window_seconds: window } = value
  if (!isText(id) || !isPer(per) || !isCount(max, 0)) return false
  if (parameter === undefined ? scale !== undefined || unit !== undefined : !isText(parameter)) return false
  if (scale !== undefined && !(isCount(scale, 0) && scale <= 15)) return false
  if (unit !== undefined && !isText(unit)) return false
  return per === 'agent' ? isCount(window, 1) : window === undefined
}
