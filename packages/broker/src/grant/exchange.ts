import { isPromise, ok, TOKEN_TYPE_URI, type MaybePromise, type ToolCallRequest } from '@hallpass/core'
import type { Engine } from '../engine.ts'
import { learn } from '../http/attempt.ts'
import type { OAuthRequest } from '../http/oauth-request.ts'
import { refusePaced, takePace } from '../http/refuse-paced.ts'
import { reject, type Refusal, type Step } from '../http/refusal.ts'
import { authenticate, bindAssertion, presentedAssertion } from '../identity/authenticate.ts'
import { proveKey, spendProof } from '../identity/prove-key.ts'
import { decide } from '../policy/decide.ts'
import { verifyTaskToken, type PresentedTask } from '../token/task-token.ts'
import { callIdOf } from './call-id.ts'
import type { Writable } from '../writable.ts'
import { draftGrant, issueGrant, type Permitted } from './issue-grant.ts'
import { liveTask } from './live-task.ts'
import { taskFacts } from './open-task.ts'

/**
 * Token exchange (RFC 8693): a task token and a proof by its key, for one grant.
 * task token -> proof -> task in the ledger -> policy, now -> register -> sign -> record.
 */
export async function exchange(engine: Engine, request: OAuthRequest, call: ToolCallRequest): Promise<Step<object>> {
  const { form, attempt } = request
  const token = subjectToken(request)
  if (!token.ok) return token
  const callId = callIdOf(form)
  if (!callId.ok) return callId
  // Most of these answer at once, and then nobody waits: a turn of the queue costs more than some of the checks.
  const verified = verifyTaskToken(engine, token.value)
  const presented = isPromise(verified) ? await verified : verified
  if (!presented.ok) return reject('invalid_request', presented)
  const { claims } = presented.value
  const proven = proveKey(engine, request, { url: `${engine.issuer}/token`, jkt: claims.cnf.jkt })
  const proof = isPromise(proven) ? await proven : proven
  if (!proof.ok) return proof
  const agent = sameAgent(engine, request, presented.value)
  const client = isPromise(agent) ? await agent : agent
  if (!client.ok) return client
  const paced = refusePaced(engine, attempt, claims.client_id)
  if (paced !== undefined) return paced
  const marked = spendProof(engine, proof.value)
  const spent = isPromise(marked) ? await marked : marked
  if (!spent.ok) return spent
  const tooMany = takePace(engine, attempt, claims.client_id)
  if (tooMany !== undefined) return tooMany

  attempt.standing = 'authenticated'
  learn(attempt, () => ({
    txn: claims.txn,
    client_id: claims.client_id,
    sub: claims.sub,
    owner: claims['urn:hallpass:path'].owner,
    jkt: claims.cnf.jkt,
    aud: call.locations[0],
    action: call.actions[0],
    resource: call.identifier,
    call_id: callId.value,
  }))
  const known = liveTask(engine, claims.txn)
  const live = isPromise(known) ? await known : known
  if (!live.ok) return reject('invalid_request', live)
  const task = live.value
  if (task.jkt !== claims.cnf.jkt || task.clientId !== claims.client_id)
    return reject('invalid_request', { reason: 'binding-failed' })
  learn(attempt, () => taskFacts(task))
  attempt.txn = task.txn

  const decided = decide(engine, { task, call, identityClaims: presented.value.identityClaims })
  const permit = isPromise(decided) ? await decided : decided
  if (!permit.ok) return permit
  const permitted: Writable<Permitted> = { task, call, permit: permit.value, notAfter: claims.exp, jkt: task.jkt }
  if (callId.value !== undefined) permitted.callId = callId.value
  if (attempt.traced !== undefined) permitted.traced = attempt.traced
  const drafted = draftGrant(engine, permitted)
  const draft = isPromise(drafted) ? await drafted : drafted
  return draft.ok ? issueGrant(engine, draft.value, permitted) : draft
}

/** Only a task token is a subject token here, and only an access token comes out. */
function subjectToken({ form }: OAuthRequest): Step<string> {
  const token = form.get('subject_token')
  const wanted = form.get('requested_token_type')
  if (token === undefined) return malformed('the subject token is missing')
  if (form.get('subject_token_type') !== TOKEN_TYPE_URI.accessToken)
    return malformed('the subject token is not an access token')
  if (wanted !== undefined && wanted !== TOKEN_TYPE_URI.accessToken) return malformed('only access tokens are issued')
  return ok(token)
}

/** A client assertion may come along; then it is of the same agent and the same workload, by the same key. */
function sameAgent(engine: Engine, request: OAuthRequest, { claims }: PresentedTask): MaybePromise<Step<true>> {
  const presented = presentedAssertion(request.form)
  if (!presented.ok) return reject('invalid_client', presented)
  const clientId = request.form.get('client_id')
  if (presented.value === undefined) {
    if (request.authorization !== undefined) return reject('invalid_client', { reason: 'credential-malformed' })
    const names = [undefined, claims.client_id, claims['urn:hallpass:identity'].sub]
    return names.includes(clientId)
      ? ok(true)
      : reject('invalid_client', { reason: 'identity-invalid', detail: 'client_id' })
  }
  return sameWorkload(engine, request, claims)
}

async function sameWorkload(
  engine: Engine,
  request: OAuthRequest,
  claims: PresentedTask['claims'],
): Promise<Step<true>> {
  const workload = await authenticate(engine, request)
  if (!workload.ok) return workload
  const { registrant, identity } = workload.value
  const own = claims['urn:hallpass:identity']
  if (registrant.id !== claims.client_id || identity.iss !== own.iss || identity.sub !== own.sub) {
    return reject('invalid_client', {
      reason: 'identity-invalid',
      detail: 'the assertion is of another workload than the task',
    })
  }
  const bound = await bindAssertion(engine, workload.value, claims.cnf.jkt)
  return bound.ok ? ok(true) : bound
}

const malformed = (detail: string): Refusal => reject('invalid_request', { reason: 'request-invalid', detail })
