import {
  CLAIM,
  DEFAULT_TTL_SECONDS,
  DETAIL_TYPE,
  isPromise,
  MAX_TTL_SECONDS,
  ok,
  parameterDigest,
  randomId,
  TYP,
  type AuditEvent,
  type GrantClaims,
  type GrantRecord,
  type JsonObject,
  type JsonValue,
  type MaybePromise,
  type TaskRecord,
  type ToolCallEntry,
  type ToolCallRequest,
} from '@hallpass/core'
import type { Permit } from '@hallpass/policy'
import type { Engine } from '../engine.ts'
import { reject, type Step } from '../http/refusal.ts'
import { versionOf } from '../policy/policy-version.ts'
import { grantPayload } from '../token/grant-payload.ts'
import { actorClaims, fitsToken, pathOf } from '../token/task-token.ts'
import type { TracedRequest } from '../telemetry/traced-request.ts'
import type { Writable } from '../writable.ts'
import { isUnderCeiling } from './ceiling.ts'
import { splitLimits } from './charge.ts'

/** A permitted call, and the task it belongs to. */
export interface Permitted {
  readonly task: TaskRecord
  readonly call: ToolCallRequest
  readonly permit: Permit
  /** No grant outlives this: the task token, or the task itself. */
  readonly notAfter: number
  readonly jkt: string
  readonly callId?: string
  readonly traced?: TracedRequest
}

/** A grant that is worked out but exists nowhere yet. */
export interface GrantDraft {
  readonly record: GrantRecord
  readonly entry: ToolCallEntry
  readonly payload: string
  /** Of the parameters that were asked. */
  readonly digest: string
}

/** Works out entry, limits, life and claims of a grant. Pure but for the ids and the status place it draws. */
export function draftGrant(engine: Engine, permitted: Permitted): MaybePromise<Step<GrantDraft>> {
  const { task, permit, notAfter } = permitted
  const iat = Math.floor(engine.clock())
  const ttl = Math.min(permit.ttlSeconds || DEFAULT_TTL_SECONDS, MAX_TTL_SECONDS)
  const exp = Math.floor(Math.min(iat + ttl, notAfter, task.deadline))
  if (exp <= iat) return reject('invalid_request', { reason: 'task-expired' })
  const place = engine.statusPlaces.allocate(exp)
  return isPromise(place)
    ? place.then((status) => draft(engine, permitted, { iat, exp, status }))
    : draft(engine, permitted, { iat, exp, status: place })
}

/** Many calls say everything by their resource. */
const NO_PARAMETERS = parameterDigest({})

function isEmpty(parameters: JsonObject): boolean {
  for (const _name in parameters) return false
  return true
}

function draft(
  engine: Engine,
  { task, call, permit, jkt }: Permitted,
  { iat, exp, status }: Pick<GrantRecord, 'iat' | 'exp' | 'status'>,
): Step<GrantDraft> {
  const [audience] = call.locations
  const [action] = call.actions
  const parameters: JsonObject = call.parameters ?? {}
  const split = engine.ownLedgers.has(audience) ? splitLimits(permit.limits, permit, parameters) : undefined
  if (split?.ok === false) return reject('access_denied', split)
  const digest = isEmpty(parameters) ? NO_PARAMETERS : parameterDigest(parameters)
  const identifier = identifierOf(task, call, permit)
  const limits = split?.value.limits ?? permit.limits
  const entry = entryOf(
    { type: DETAIL_TYPE.toolCall, locations: call.locations, actions: call.actions, identifier, limits },
    permit,
    digest,
  )
  const jti = randomId('gr_')
  const policy = versionOf(engine.policy)
  const record: Writable<GrantRecord> = {
    issuer: engine.issuer,
    jti,
    txn: task.txn,
    clientId: task.clientId,
    owner: task.owner,
    audience,
    action,
    resource: identifier,
    iat,
    exp,
    jkt,
    limits,
    policy,
    status,
    incarnation: engine.ledger.incarnation,
  }
  if (split?.value.chargeAtIssue !== undefined) record.chargeAtIssue = split.value.chargeAtIssue
  const claims: Writable<GrantClaims> = {
    iss: engine.issuer,
    sub: task.onBehalfOf?.sub ?? task.clientId,
    aud: audience,
    client_id: task.clientId,
    iat,
    exp,
    jti,
    txn: task.txn,
    cnf: { jkt },
    authorization_details: [entry],
    status: { status_list: status },
    [CLAIM.policy]: policy,
    [CLAIM.path]: pathOf(task),
  }
  if (task.onBehalfOf !== undefined) Object.assign(claims, actorClaims(engine, task.clientId, task.onBehalfOf))
  const payload = grantPayload(claims)
  return fitsToken(payload)
    ? ok({ record, entry, payload, digest })
    : reject('invalid_authorization_details', { reason: 'details-invalid', detail: 'the grant would be too large' })
}

/** A class only where policy gives one and the task's ceiling takes in all of it; else exactly what was asked. */
function identifierOf(task: TaskRecord, call: ToolCallRequest, permit: Permit): string {
  const isClass = permit.resource === 'class' && isUnderCeiling(task.ceiling, call.actions[0], permit.identifier)
  return isClass ? permit.identifier : call.identifier
}

type EntryBase = Pick<ToolCallEntry, 'type' | 'locations' | 'actions' | 'identifier' | 'limits'>

function entryOf(base: EntryBase, { constraints }: Permit, digest: string): ToolCallEntry {
  const { type, locations, actions, identifier, limits } = base
  return constraints === undefined
    ? { type, locations, actions, identifier, parameter_digest: digest, limits }
    : { type, locations, actions, identifier, constraints, limits }
}

/**
 * Registers, signs and records a grant, in this order: it is in the ledger and in the trail before its token leaves.
 * What fails after the registration revokes it.
 */
export async function issueGrant(engine: Engine, draft: GrantDraft, permitted: Permitted): Promise<Step<object>> {
  const { record, entry } = draft
  const answer = engine.ledger.registerGrant(record)
  const registered = isPromise(answer) ? await answer : answer
  if (!registered.ok) return reject(isAboutTask(registered.reason) ? 'invalid_request' : 'access_denied', registered)
  try {
    const signed = engine.tokens.sign(draft.payload, TYP.accessToken)
    const token = isPromise(signed) ? await signed : signed
    const recorded = recordIssued(engine, draft, permitted)
    if (isPromise(recorded)) await recorded
    return ok({
      access_token: token,
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      token_type: 'DPoP',
      expires_in: record.exp - record.iat,
      authorization_details: [entry],
      cnf: { jkt: permitted.jkt },
      txn: record.txn,
    })
  } catch (fault) {
    engine.recorder.note('grant.revoked', {
      txn: record.txn,
      jti: record.jti,
      reason: 'internal',
      detail: 'its token never left',
    })
    await engine.ledger.revoke({ kind: 'grant', jti: record.jti }, 'the broker could not finish issuing it')
    engine.tail.nudge()
    throw fault
  }
}

const TASK_REASONS: ReadonlySet<string> = new Set([
  'task-unknown',
  'task-ended',
  'task-expired',
  'incarnation-mismatch',
])

/** RFC 8693 2.2.2: a subject token that is not acceptable is `invalid_request`. */
export const isAboutTask = (reason: string): boolean => TASK_REASONS.has(reason)

function trace(traced: TracedRequest, event: Writable<AuditEvent>, { rules }: Permit): void {
  if (traced.traceparent !== undefined) event.trace = traced.traceparent
  traced.set({
    'hallpass.effect': 'permit',
    'hallpass.rules': rules.join(' '),
    'hallpass.grant.id': event.jti,
    'hallpass.event.id': event.id,
    'hallpass.policy.version': event.policy?.version,
  })
}

function recordIssued(engine: Engine, { record, digest }: GrantDraft, permitted: Permitted): MaybePromise<void> {
  const { task, permit, jkt, callId, traced } = permitted
  const { id, time, source } = engine.recorder.stamp()
  const event: Writable<AuditEvent> = {
    id,
    type: 'grant.issued',
    time,
    source,
    txn: task.txn,
    jti: record.jti,
    client_id: task.clientId,
    sub: task.onBehalfOf?.sub ?? task.clientId,
    owner: task.owner,
    purpose: task.purpose,
    aud: record.audience,
    action: record.action,
    resource: record.resource,
    rule: permit.rules.join(' '),
    policy: record.policy,
    limits: record.limits as unknown as JsonValue,
    ttl: record.exp - record.iat,
    exp: record.exp,
    jkt,
    parameters: engine.digest(digest),
  }
  if (permit.facts !== undefined) event.facts = engine.digest(permit.facts)
  if (callId !== undefined) event.call_id = callId
  if (traced !== undefined) trace(traced, event, permit)
  if (record.chargeAtIssue !== undefined)
    event.data = { charged_at_issue: record.chargeAtIssue as unknown as JsonValue }
  return engine.recorder.append(event)
}
