import {
  checkTaskTokenClaims,
  CLAIM,
  DEFAULT_SKEW_SECONDS,
  DETAIL_TYPE,
  isJsonObject,
  isPromise,
  MAX_TTL_SECONDS,
  ok,
  randomId,
  refuse,
  type JsonObject,
  type MaybePromise,
  type RefusalReason,
  type Result,
  type TaskEntry,
  type TaskRecord,
  type TaskTokenClaims,
  type VerifiedIdentity,
} from '@hallpass/core'
import type { Engine } from '../engine.ts'
import type { OnBehalfOf } from '../identity/user-token.ts'
import { MAX_PAYLOAD_BYTES } from './own-tokens.ts'

/** A task token ready to sign. */
export interface TaskTokenDraft {
  readonly payload: string
  readonly entry: TaskEntry
  readonly exp: number
}

/** Claims of an assertion that say nothing about the workload, only about the assertion. */
const ASSERTION_CLAIMS = new Set(['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti', 'cnf'])

/** What an assertion says about the workload: the claims a policy may look at, the same for every way to ask. */
export function workloadClaims({ claims }: Pick<VerifiedIdentity, 'claims'>): JsonObject {
  return Object.fromEntries(Object.entries(claims).filter(([name]) => !ASSERTION_CLAIMS.has(name)))
}

/**
 * Drafts the token of a task: `exp` is the earlier of its own life and the deadline.
 * The workload's claims travel in it, so that policy sees the same ones for every grant.
 */
export function draftTaskToken(
  engine: Engine,
  task: TaskRecord,
  identity: Pick<VerifiedIdentity, 'claims'>,
): Result<TaskTokenDraft, RefusalReason> {
  const iat = Math.floor(engine.clock())
  const exp = Math.min(iat + Math.min(engine.taskTokenSeconds, MAX_TTL_SECONDS), Math.floor(task.deadline))
  if (exp <= iat) return refuse('task-expired')
  const entry: TaskEntry = {
    type: DETAIL_TYPE.task,
    purpose: task.purpose,
    ...(task.note === undefined ? {} : { note: task.note }),
    ...(task.ceiling === undefined ? {} : { ceiling: task.ceiling }),
    deadline: task.deadline,
  }
  const claims = workloadClaims(identity)
  const payload = JSON.stringify({
    iss: engine.issuer,
    sub: task.onBehalfOf?.sub ?? task.clientId,
    client_id: task.clientId,
    txn: task.txn,
    aud: engine.issuer,
    iat,
    exp,
    jti: randomId('tt_'),
    cnf: { jkt: task.jkt },
    authorization_details: [entry],
    [CLAIM.policy]: { version: engine.policy.version, digest: engine.policy.digest },
    [CLAIM.path]: pathOf(task),
    [CLAIM.identity]: { ...task.identity, claims },
    ...(task.onBehalfOf === undefined ? {} : actorClaims(engine, task.clientId, task.onBehalfOf)),
  } satisfies TaskTokenClaims)
  if (!fitsToken(payload)) {
    return refuse(
      'details-invalid',
      'the task token would be too large: shorten the ceiling, or the claims of the workload token',
    )
  }
  return ok({ payload, entry, exp })
}

/** Root task first; one element each until delegation exists. */
export const pathOf = ({ txn, clientId, owner }: Pick<TaskRecord, 'txn' | 'clientId' | 'owner'>) => ({
  tasks: [txn],
  agents: [clientId],
  owner,
})

/** What a token says besides its subject when an agent acts for a user (RFC 8693 section 4.1). */
export const actorClaims = (engine: Engine, clientId: string, user: OnBehalfOf) => ({
  act: { sub: clientId, iss: engine.issuer },
  [CLAIM.onBehalfOf]: { ...user },
})

export const fitsToken = (payload: string): boolean =>
  payload.length <= MAX_PAYLOAD_BYTES / 3 || Buffer.byteLength(payload) <= MAX_PAYLOAD_BYTES

export interface PresentedTask {
  readonly claims: TaskTokenClaims
  /** Claims of the workload's assertion when the task was opened or last renewed. */
  readonly identityClaims: JsonObject
}

/** By payload, which `OwnTokens` keeps for as long as it remembers the token. */
const checked = new WeakMap<JsonObject, PresentedTask>()

/** Verifies a task token that was presented here. Does not check the proof or whether the task is still open. */
export function verifyTaskToken(engine: Engine, token: string): MaybePromise<Result<PresentedTask, RefusalReason>> {
  const verified = engine.tokens.verify(token)
  return isPromise(verified) ? verified.then((payload) => checkTask(engine, payload)) : checkTask(engine, verified)
}

function checkTask(engine: Engine, payload: Result<JsonObject, RefusalReason>): Result<PresentedTask, RefusalReason> {
  if (!payload.ok) return payload
  // Of what was found right before, only the expiry can have changed: the clock never goes back.
  const known = checked.get(payload.value)
  if (known !== undefined) return engine.clock() < known.claims.exp ? ok(known) : refuse('token-expired')
  const claims = checkTaskTokenClaims(payload.value, {
    issuer: engine.issuer,
    audience: engine.issuer,
    now: engine.clock(),
    skewSeconds: DEFAULT_SKEW_SECONDS,
  })
  if (!claims.ok) return claims
  const identity = payload.value[CLAIM.identity]
  const identityClaims = isJsonObject(identity) ? identity['claims'] : undefined
  if (!isJsonObject(identityClaims)) return refuse('token-claims')
  const presented = { claims: claims.value, identityClaims }
  checked.set(payload.value, presented)
  return ok(presented)
}
