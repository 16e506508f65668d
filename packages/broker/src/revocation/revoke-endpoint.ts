import {
  CLAIM,
  DETAIL_TYPE,
  isJsonObject,
  ok,
  type GrantState,
  type JsonObject,
  type TaskEnd,
  type TaskState,
} from '@hallpass/core'
import type { Engine } from '../engine.ts'
import { traceOf } from '../http/attempt.ts'
import { answer, type Answer } from '../http/answer.ts'
import type { OAuthRequest } from '../http/oauth-request.ts'
import { reject, type Step } from '../http/refusal.ts'
import { authenticate, bindAssertion, presentedAssertion } from '../identity/authenticate.ts'
import { proveKey, spendProof } from '../identity/prove-key.ts'
import { endTask } from './end-task.ts'
import { revoke } from './revoke.ts'

/** How an agent may say its task ended; without a word it is `revoked`. */
const ENDS: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled', 'abandoned'])

/** What a token that this broker signed stands for. */
type Subject =
  | { readonly kind: 'task'; readonly clientId: string; readonly jkt: string; readonly txn: string }
  | { readonly kind: 'grant'; readonly clientId: string; readonly jkt: string; readonly jti: string }

/**
 * `POST /revoke` (RFC 7009): the end of a task or of one grant. Whoever holds the token's own key may, and the agent by
 * its client assertion. 200 for a token nobody knows. An expired token still ends its task.
 */
export async function revokeEndpoint(engine: Engine, request: OAuthRequest): Promise<Answer> {
  const { form, attempt } = request
  return answer(engine, { attempt }, async () => {
    const token = form.get('token')
    const reason = form.get('reason')
    if (token === undefined) return reject('invalid_request', { reason: 'request-invalid', detail: 'token is missing' })
    if (reason !== undefined && !ENDS.has(reason))
      return reject('invalid_request', { reason: 'request-invalid', detail: 'reason' })
    const payload = await engine.tokens.verify(token)
    const subject = payload.ok ? subjectOf(engine, payload.value) : undefined
    const entitled = await prove(engine, request, subject)
    if (!entitled.ok || subject === undefined) return entitled
    attempt.standing = 'authenticated'
    await (subject.kind === 'task'
      ? endOf(engine, subject.txn, {
          clientId: subject.clientId,
          how: (reason as TaskEnd | undefined) ?? 'revoked',
          ...traceOf(attempt),
        })
      : revokeOne(engine, { ...subject, ...traceOf(attempt) }))
    return ok({})
  })
}

function subjectOf({ issuer }: Engine, payload: JsonObject): Subject | undefined {
  const { iss, aud, txn, jti, client_id: clientId, cnf, authorization_details: details } = payload
  const jkt = isJsonObject(cnf) ? cnf['jkt'] : undefined
  const entry = Array.isArray(details) ? (details[0] as JsonObject | undefined) : undefined
  const isOurs = iss === issuer && typeof txn === 'string' && typeof jti === 'string'
  if (!isOurs || typeof clientId !== 'string' || typeof jkt !== 'string' || entry === undefined) return undefined
  if (entry['type'] === DETAIL_TYPE.task && aud === issuer && CLAIM.identity in payload)
    return { kind: 'task', clientId, jkt, txn }
  return entry['type'] === DETAIL_TYPE.toolCall ? { kind: 'grant', clientId, jkt, jti } : undefined
}

/** By the token's own key, or as the agent the token was issued to. */
async function prove(engine: Engine, request: OAuthRequest, subject: Subject | undefined): Promise<Step<object>> {
  const presented = presentedAssertion(request.form)
  if (!presented.ok) return reject('invalid_client', presented)
  if (presented.value === undefined && request.proof === undefined)
    return reject('invalid_client', { reason: 'credential-missing' })
  const byKey = presented.value === undefined && subject !== undefined ? { jkt: subject.jkt } : {}
  const proof =
    request.proof === undefined
      ? undefined
      : await proveKey(engine, request, { url: `${engine.issuer}/revoke`, ...byKey })
  if (proof && !proof.ok) return proof
  if (presented.value !== undefined) {
    const workload = await authenticate(engine, request)
    if (!workload.ok) return workload
    const bound = proof ? await bindAssertion(engine, workload.value, proof.value.jkt) : ok(true)
    if (!bound.ok) return bound
    if (subject !== undefined && workload.value.registrant.id !== subject.clientId) {
      return reject('unauthorized_client', { reason: 'caller-not-allowed', detail: 'the token is of another agent' })
    }
  }
  // A stranger with a token nobody knows gets nothing done, and must not fill the ledger with marks.
  const isStranger = presented.value === undefined && subject === undefined
  const spent = proof && !isStranger ? await spendProof(engine, proof.value) : ok(true)
  return spent.ok ? ok({}) : spent
}

async function endOf(
  engine: Engine,
  txn: string,
  { clientId, how, ...span }: { clientId: string; how: TaskEnd; trace?: string },
): Promise<void> {
  const task: TaskState | undefined = await engine.ledger.task(txn)
  if (task?.clientId === clientId) await endTask(engine, task, { how, by: clientId, ...span })
}

async function revokeOne(
  engine: Engine,
  { jti, clientId, trace }: { readonly jti: string; readonly clientId: string; readonly trace?: string },
): Promise<void> {
  const grant: GrantState | undefined = await engine.ledger.grant(jti)
  if (grant === undefined || grant.clientId !== clientId || grant.revoked !== undefined) return
  const order = { target: { kind: 'grant', jti }, reason: 'revoked by its agent', by: clientId } as const
  await revoke(engine, trace === undefined ? order : { ...order, trace }, {})
}
