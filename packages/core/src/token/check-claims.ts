import { parseTaskEntry, parseToolCallEntry } from '../grant/parse-entry.ts'
import { isObject } from '../json/is-object.ts'
import type { JsonObject, JsonValue } from '../json/value.ts'
import type { RefusalReason } from '../reason.ts'
import { ok, refuse } from '../result.ts'
import type { Refused, Result } from '../result.ts'
import type { GrantClaims, TaskTokenClaims } from './claims.ts'
import { CLAIM, MAX_SKEW_SECONDS, MAX_TASK_SECONDS, MAX_TTL_SECONDS } from './constants.ts'

/** Whose token, for whom, and when. */
export interface ClaimsExpectation {
  readonly issuer: string
  readonly audience: string
  /** NumericDate seconds. */
  readonly now: number
  /** Leeway for `iat` and `nbf`, at most 30. `exp` gets none. */
  readonly skewSeconds: number
}

const MAX_TEXT = 512
const MAX_DATE = 253402300799
const THUMBPRINT = /^[A-Za-z0-9_-]{43}$/

const wrong = (detail: string): Refused<RefusalReason> => refuse('token-claims', detail)

const isText = (value: JsonValue | undefined): value is string =>
  typeof value === 'string' && value !== '' && value.length <= MAX_TEXT

const isDate = (value: JsonValue | undefined): value is number =>
  typeof value === 'number' && value >= 0 && value <= MAX_DATE

/** No member but these; that they are there is for whoever reads them. Walks without making a list of names. */
function hasOnly(value: JsonObject, names: readonly string[]): boolean {
  for (const name in value) if (!names.includes(name)) return false
  return true
}

const PATH = ['tasks', 'agents', 'owner']
const ACTOR = ['sub', 'iss']
const CONFIRMATION = ['jkt']
const STATUS = ['status_list']
const STATUS_LIST = ['idx', 'uri']

/**
 * Checks the claims of a grant (RFC 9068 profile) whose signature is, or will be, checked elsewhere.
 *
 * `exp` has no leeway; `iat` and `nbf` have `skewSeconds`. Returns the payload itself, typed. Does not check the proof,
 * the entry against a request, revocation or counters.
 */
export function checkGrantClaims(payload: JsonObject, expect: ClaimsExpectation): Result<GrantClaims, RefusalReason> {
  const problem = checkCommon(payload, expect, MAX_TTL_SECONDS)
  if (problem !== undefined) return problem
  if (Object.hasOwn(payload, 'cnf') && !isConfirmation(payload['cnf'])) return wrong('cnf holds a jkt and nothing else')
  if (!isStatus(payload['status'])) return wrong('status names an entry of a status list')
  const entry = onlyEntry(payload)
  if (entry === undefined) return wrong('authorization_details holds exactly one entry')
  const parsed = parseToolCallEntry(entry)
  if (!parsed.ok) return parsed
  if (parsed.value.locations[0] !== expect.audience) return wrong('the entry is for another audience')
  return ok(payload as unknown as GrantClaims)
}

/**
 * Checks the claims of a task token, which is good at its broker only: `audience` is the broker's issuer identifier.
 *
 * Returns the payload itself, typed. Does not check the proof or whether the task is still open.
 */
export function checkTaskTokenClaims(
  payload: JsonObject,
  expect: ClaimsExpectation,
): Result<TaskTokenClaims, RefusalReason> {
  const problem = checkCommon(payload, expect, MAX_TASK_SECONDS)
  if (problem !== undefined) return problem
  if (!isConfirmation(payload['cnf'])) return wrong('cnf holds a jkt and nothing else')
  const identity = payload[CLAIM.identity]
  if (!isObject(identity) || !isText(identity['iss']) || !isText(identity['sub']))
    return wrong('the identity claim is missing')
  const entry = onlyEntry(payload)
  if (entry === undefined) return wrong('authorization_details holds exactly one entry')
  const parsed = parseTaskEntry(entry)
  return parsed.ok ? ok(payload as unknown as TaskTokenClaims) : parsed
}

function checkCommon(
  payload: JsonObject,
  expect: ClaimsExpectation,
  maxSeconds: number,
): Refused<RefusalReason> | undefined {
  const { iss, aud, iat, exp, nbf } = payload
  if (!isText(iss) || !isText(aud)) return wrong('iss and aud are one string each')
  if (iss !== expect.issuer) return refuse('issuer-unknown')
  if (aud !== expect.audience) return refuse('audience-mismatch')
  if (!isDate(iat) || !isDate(exp) || (Object.hasOwn(payload, 'nbf') && !isDate(nbf)))
    return wrong('iat, exp and nbf are NumericDates')
  if (iat >= exp) return wrong('exp is after iat')
  const skew = Math.min(expect.skewSeconds, MAX_SKEW_SECONDS)
  // Written so that a `now` that is not a number refuses.
  if (!(exp > expect.now)) return refuse('token-expired')
  if (!(iat <= expect.now + skew) || !(nbf === undefined || (nbf as number) <= expect.now + skew))
    return refuse('not-yet-valid')
  if (exp - iat > maxSeconds) return refuse('lifetime-exceeded')
  return checkParties(payload)
}

function checkParties(payload: JsonObject): Refused<RefusalReason> | undefined {
  const { sub, client_id: client, jti, txn } = payload
  if (!isText(sub) || !isText(client) || !isText(jti) || !isText(txn))
    return wrong('sub, client_id, jti and txn are strings')
  if (!isActor(payload, sub !== client)) return wrong('act names the agent exactly where the subject is somebody else')
  const policy = payload[CLAIM.policy]
  if (!isObject(policy) || !isText(policy['version']) || !isText(policy['digest']))
    return wrong('the policy claim is missing')
  const path = payload[CLAIM.path]
  // One element each: a token that was delegated is of a later profile, and unknown here.
  const isPath = isObject(path) && isList(path['tasks'], txn) && isList(path['agents'], client) && isText(path['owner'])
  return isPath && hasOnly(path, PATH) ? undefined : wrong('the path claim does not fit the token')
}

const isList = (value: JsonValue | undefined, only: string): boolean =>
  Array.isArray(value) && value.length === 1 && value[0] === only

function isActor(payload: JsonObject, isNeeded: boolean): boolean {
  if (!isNeeded) return !Object.hasOwn(payload, 'act')
  const { act, client_id: client } = payload
  return isObject(act) && hasOnly(act, ACTOR) && act['sub'] === client && isText(act['iss'])
}

function isConfirmation(value: JsonValue | undefined): boolean {
  return (
    isObject(value) && hasOnly(value, CONFIRMATION) && typeof value['jkt'] === 'string' && THUMBPRINT.test(value['jkt'])
  )
}

function isStatus(value: JsonValue | undefined): boolean {
  if (!isObject(value) || !hasOnly(value, STATUS)) return false
  const list = value['status_list']
  return (
    isObject(list) &&
    hasOnly(list, STATUS_LIST) &&
    Number.isSafeInteger(list['idx']) &&
    (list['idx'] as number) >= 0 &&
    isText(list['uri'])
  )
}

function onlyEntry(payload: JsonObject): JsonValue | undefined {
  const details = payload['authorization_details']
  return Array.isArray(details) && details.length === 1 ? (details[0] as JsonValue) : undefined
}
