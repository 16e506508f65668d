import {
  CLAIM,
  DEFAULT_TTL_SECONDS,
  DETAIL_TYPE,
  MAX_TTL_SECONDS,
  ok,
  parameterDigest,
  randomId,
  TYP,
  type GrantRecord,
  type JsonObject,
  type TaskRecord,
  type ToolCallEntry,
  type ToolCallRequest,
} from '@hallpass/core'
import type { Permit } from '@hallpass/policy'
import type { Engine } from '../engine.ts'
import { reject, type Step } from '../http/refusal.ts'
import { MAX_PAYLOAD_BYTES } from '../token/own-tokens.ts'
import { commonClaims } from '../token/task-token.ts'
import { isUnderCeiling } from './ceiling.ts'
import { splitLimits } from './charge.ts'
import { taskFacts } from './open-task.ts'

/** A permitted call, and the task it belongs to. */
export interface Permitted {
  readonly task: TaskRecord
  readonly call: ToolCallRequest
  readonly permit: Permit
  /** No grant outlives this: the task token, or the task itself. */
  readonly notAfter: number
  readonly jkt: string
  readonly callId?: string
}

/** A grant that is worked out but exists nowhere yet. */
export interface GrantDraft {
  readonly record: GrantRecord
  readonly entry: ToolCallEntry
  readonly payload: string
}

/** Works out entry, limits, life and claims of a grant. Pure but for the ids it draws. */
export function draftGrant(engine: Engine, permitted: Permitted): Step<GrantDraft> {
  const { task, call, permit, jkt } = permitted
  const [audience] = call.locations
  const [action] = call.actions
  const parameters: JsonObject = call.parameters ?? {}
  const iat = Math.floor(engine.clock())
  const ttl = Math.min(permit.ttlSeconds || DEFAULT_TTL_SECONDS, MAX_TTL_SECONDS)
  const exp = Math.floor(Math.min(iat + ttl, permitted.notAfter, task.deadline))
  if (exp <= iat) return reject('invalid_request', { reason: 'task-expired' })

  const split = engine.ownLedgers.has(audience)
    ? splitLimits(permit.limits, permit, parameters)
    : ok({ limits: permit.limits })
  if (!split.ok) return reject('access_denied', split)
  const entry = entryOf(call, permit, { identifier: identifierOf(task, call, permit), limits: split.value.limits })
  const jti = randomId('gr_')
  const policy = { version: engine.policy.version, digest: engine.policy.digest }
  const status = engine.statusLists.allocate(exp)
  const record: GrantRecord = {
    issuer: engine.issuer,
    jti,
    txn: task.txn,
    clientId: task.clientId,
    owner: task.owner,
    audience,
    action,
    resource: entry.identifier,
    iat,
    exp,
    jkt,
    ...split.value,
    policy,
    status,
    incarnation: engine.ledger.incarnation,
  }
  const payload = JSON.stringify({
    ...commonClaims(engine, task),
    aud: audience,
    iat,
    exp,
    jti,
    cnf: { jkt },
    authorization_details: [entry],
    status: { status_list: status },
    [CLAIM.policy]: policy,
  })
  if (payload.length > MAX_PAYLOAD_BYTES && Buffer.byteLength(payload) > MAX_PAYLOAD_BYTES) {
    return reject('invalid_authorization_details', {
      reason: 'details-invalid',
      detail: 'the grant would be too large',
    })
  }
  return ok({ record, entry, payload })
}

/** A class only where policy gives one and the task's ceiling takes in all of it; else exactly what was asked. */
function identifierOf(task: TaskRecord, call: ToolCallRequest, permit: Permit): string {
  const isClass = permit.resource === 'class' && isUnderCeiling(task.ceiling, call.actions[0], permit.identifier)
  return isClass ? permit.identifier : call.identifier
}

function entryOf(
  call: ToolCallRequest,
  permit: Permit,
  rest: Pick<ToolCallEntry, 'identifier' | 'limits'>,
): ToolCallEntry {
  const base = { type: DETAIL_TYPE.toolCall, locations: call.locations, actions: call.actions, ...rest }
  return permit.constraints === undefined
    ? { ...base, parameter_digest: parameterDigest(call.parameters ?? {}) }
    : { ...base, constraints: permit.constraints }
}

/**
 * Registers, signs and records a grant, in this order: it is in the ledger and in the trail before its token leaves.
 * What fails after the registration revokes it.
 */
export async function issueGrant(engine: Engine, draft: GrantDraft, permitted: Permitted): Promise<Step<object>> {
  const { record, entry } = draft
  const registered = await engine.ledger.registerGrant(record)
  if (!registered.ok) return reject(isAboutTask(registered.reason) ? 'invalid_request' : 'access_denied', registered)
  try {
    const token = await engine.tokens.sign(draft.payload, TYP.accessToken)
    await recordIssued(engine, record, permitted)
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
    engine.statusLists.revoke([record.status])
    engine.recorder.note('grant.revoked', {
      txn: record.txn,
      jti: record.jti,
      reason: 'internal',
      detail: 'its token never left',
    })
    await engine.ledger.revoke({ kind: 'grant', jti: record.jti }, 'the broker could not finish issuing it')
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

function recordIssued(
  engine: Engine,
  record: GrantRecord,
  { task, call, permit, jkt, callId }: Permitted,
): Promise<string> {
  return engine.recorder.record('grant.issued', {
    ...taskFacts(task),
    jti: record.jti,
    aud: record.audience,
    action: record.action,
    resource: record.resource,
    rule: permit.rules.join(' '),
    policy: record.policy,
    limits: record.limits as never,
    ttl: record.exp - record.iat,
    exp: record.exp,
    jkt,
    parameters: engine.digest(parameterDigest(call.parameters ?? {})),
    ...(permit.facts === undefined ? {} : { facts: engine.digest(permit.facts) }),
    ...(callId === undefined ? {} : { call_id: callId }),
    ...(record.chargeAtIssue === undefined ? {} : { data: { charged_at_issue: record.chargeAtIssue as never } }),
  })
}
