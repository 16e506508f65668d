import { checkGrantClaims, DEFAULT_SKEW_SECONDS, ok } from '@hallpass/core'
import type { Engine } from '../engine.ts'
import { liveTask } from '../grant/live-task.ts'
import { answer, type Answer } from '../http/answer.ts'
import type { OAuthRequest } from '../http/oauth-request.ts'
import { reject, type Step } from '../http/refusal.ts'
import { authenticate } from '../identity/authenticate.ts'
import { recogniseCaller } from './caller-token.ts'

const INACTIVE = { active: false }

/**
 * `POST /introspect` (RFC 7662), for the registered API a grant is for: unknown, ended, spent and foreign grants are all
 * just inactive. Says nothing about a proof: whoever presents the grant still has to give one.
 */
export async function introspectEndpoint(engine: Engine, request: OAuthRequest): Promise<Answer> {
  const isCallerToken = request.authorization !== undefined
  return answer(engine, { attempt: request.attempt, challenge: isCallerToken }, async () => {
    const audience = await audienceOf(engine, request)
    if (!audience.ok) return audience
    request.attempt.standing = 'authenticated'
    const token = request.form.get('token')
    if (token === undefined) return reject('invalid_request', { reason: 'request-invalid', detail: 'token is missing' })
    return ok(await introspect(engine, token, audience.value))
  })
}

async function audienceOf(engine: Engine, request: OAuthRequest): Promise<Step<string>> {
  if (request.authorization !== undefined) {
    const caller = await recogniseCaller(engine, request, `${engine.issuer}/introspect`)
    if (!caller.ok) return caller
    return caller.value.kind === 'api' ? ok(caller.value.audience) : notAnApi()
  }
  const workload = await authenticate(engine, request)
  if (!workload.ok) return workload
  const { registrant } = workload.value
  return registrant.kind === 'api' ? ok(registrant.audience) : notAnApi()
}

const notAnApi = () =>
  reject('unauthorized_client', { reason: 'caller-not-allowed', detail: 'only a registered API may ask' })

async function introspect(engine: Engine, token: string, audience: string): Promise<object> {
  const payload = await engine.tokens.verify(token)
  if (!payload.ok) return INACTIVE
  const claims = checkGrantClaims(payload.value, {
    issuer: engine.issuer,
    audience,
    now: engine.clock(),
    skewSeconds: DEFAULT_SKEW_SECONDS,
  })
  if (!claims.ok) return INACTIVE
  const grant = await engine.ledger.grant(claims.value.jti)
  if (grant === undefined || grant.revoked !== undefined || grant.usesLeft <= 0 || grant.audience !== audience)
    return INACTIVE
  const task = await liveTask(engine, grant.txn)
  if (!task.ok) return INACTIVE
  return { ...claims.value, active: true, token_type: claims.value.cnf === undefined ? 'Bearer' : 'DPoP' }
}
