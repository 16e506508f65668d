import {
  isJsonObject,
  ok,
  parseStrictJson,
  refuse,
  type JsonValue,
  type Result,
  type RevocationTarget,
} from '@hallpass/core'
import type { Engine } from '../engine.ts'
import { answer, type Answer } from '../http/answer.ts'
import { traceOf } from '../http/attempt.ts'
import type { OAuthRequest } from '../http/oauth-request.ts'
import { reject } from '../http/refusal.ts'
import { recogniseCaller } from '../token/caller-token.ts'
import { resume, revoke } from './revoke.ts'
import { parseTarget } from './target.ts'

/** What an operator asks for: kill (or say what would be killed), or let go on. */
export interface RevocationRequest {
  readonly target: RevocationTarget
  readonly reason: string
  readonly dryRun: boolean
  readonly resume: boolean
}

/** `POST /revocations`, for registered operators only: answered when everything named is dead. */
export async function revocationsEndpoint(engine: Engine, request: OAuthRequest): Promise<Answer> {
  const { attempt } = request
  return answer(engine, { attempt, challenge: true }, async () => {
    const caller = await recogniseCaller(engine, request, `${engine.issuer}/revocations`)
    if (!caller.ok) return caller
    if (caller.value.kind !== 'operator') return reject('invalid_token', { reason: 'caller-not-allowed' })
    attempt.standing = 'authenticated'
    const { id } = caller.value
    const json = parseStrictJson(request.body ?? '')
    const wanted = json.ok ? parseRevocation(json.value) : refuse('request-invalid', 'not strict JSON')
    if (!wanted.ok) return reject('invalid_request', wanted)
    const { target, reason, dryRun } = wanted.value
    const order = { target, reason, by: id, ...traceOf(attempt) }
    if (wanted.value.resume) return ok({ resumed: await resume(engine, order) })
    return ok({ dry_run: dryRun, ...(await revoke(engine, order, { dryRun })) })
  })
}

const MEMBERS = new Set(['target', 'reason', 'dry_run', 'resume'])

/** Reads an operator's request: closed, with a reason for the trail. */
export function parseRevocation(value: JsonValue): Result<RevocationRequest, 'request-invalid'> {
  if (!isJsonObject(value) || !Object.keys(value).every((name) => MEMBERS.has(name)))
    return refuse('request-invalid', 'members')
  const { target, reason, dry_run: dryRun = false, resume: isResume = false } = value
  const parsed = parseTarget(target)
  if (parsed === undefined) return refuse('request-invalid', 'the target')
  if (!isText(reason)) return refuse('request-invalid', 'a revocation needs a reason')
  if (typeof dryRun !== 'boolean' || typeof isResume !== 'boolean' || (dryRun && isResume))
    return refuse('request-invalid', 'dry_run and resume')
  return ok({ target: parsed, reason, dryRun, resume: isResume })
}

const isText = (value: JsonValue | undefined): value is string =>
  typeof value === 'string' && value !== '' && value.length <= 512
