import { GRANT_TYPE, isPromise, ok, type MaybePromise } from '@hallpass/core'
import type { Engine } from '../engine.ts'
import { readDetails, type Details } from '../grant/details.ts'
import { exchange } from '../grant/exchange.ts'
import { agentOf, openTask, type ProvenAgent } from '../grant/open-task.ts'
import { renewTask } from '../grant/renew-task.ts'
import { singleCall } from '../grant/single-call.ts'
import type { AuthenticatedWorkload } from '../identity/assertion.ts'
import { authenticate, bindAssertion } from '../identity/authenticate.ts'
import { proveKey, spendProof } from '../identity/prove-key.ts'
import { callerToken } from '../token/caller-token.ts'
import { answer, type Answer } from './answer.ts'
import { learn } from './attempt.ts'
import type { Form } from './form.ts'
import type { OAuthRequest } from './oauth-request.ts'
import { refusePaced, takePace } from './refuse-paced.ts'
import { reject, type Refusal, type Step } from './refusal.ts'

/** `POST /token`: opens and renews tasks, issues grants, and gives APIs and operators their tokens. */
export function tokenEndpoint(engine: Engine, request: OAuthRequest): Promise<Answer> {
  const type = request.form.get('grant_type')
  const isCall = type === GRANT_TYPE.tokenExchange
  return answer(engine, { attempt: request.attempt, refused: isCall ? 'grant.refused' : 'task.refused' }, () =>
    orTooManyUnproven(engine, request, () => {
      const details = readDetails(request.form)
      const target = checkTarget(engine, request.form, details)
      if (!target.ok) return target
      if (!details.ok) return details
      request.attempt.traced?.is(OPERATIONS[details.value.kind])
      switch (type) {
        case GRANT_TYPE.tokenExchange:
          return details.value.kind === 'call' && details.value.purpose === undefined
            ? exchange(engine, request, details.value.request)
            : reject('invalid_authorization_details', {
                reason: 'details-invalid',
                detail: 'an exchange asks for one call',
              })
        case GRANT_TYPE.clientCredentials:
          return clientCredentials(engine, request, details.value)
        case undefined:
          return malformed('grant_type is missing')
        default:
          return reject('unsupported_grant_type', { reason: 'grant-type-unsupported' })
      }
    }),
  )
}

const OPERATIONS = { none: 'api_token', open: 'open_task', renew: 'renew_task', call: 'grant' } as const

/** Each of these cost a signature check and showed nobody. */
const UNPROVEN: ReadonlySet<string> = new Set(['invalid_client', 'invalid_dpop_proof'])

/** Does the work unless too many requests that prove nobody came lately, and counts this one if it is another. */
function orTooManyUnproven(
  engine: Engine,
  { form, attempt }: OAuthRequest,
  work: () => MaybePromise<Step<object>>,
): MaybePromise<Step<object>> {
  const refusal = engine.pace.checkUnproven()
  // A task that goes on must not suffer from a flood: its token was found good before.
  if (refusal !== undefined && !engine.tokens.knows(form.get('subject_token') ?? '')) return refusal
  const look = (step: Step<object>): Step<object> => {
    const isForged = !step.ok && (UNPROVEN.has(step.error) || step.reason === 'token-signature')
    if (isForged && attempt.standing === 'unknown') engine.pace.countUnproven()
    return step
  }
  const done = work()
  return isPromise(done) ? done.then(look) : look(done)
}

/** Parameters that would change what a token is good for, and have no meaning here. */
const UNSUPPORTED = ['scope', 'audience', 'actor_token', 'actor_token_type']

/** One `resource` (RFC 8707): the broker itself, or the API of the call. */
function checkTarget(engine: Engine, form: Form, details: Step<Details>): Step<true> {
  const unsupported = UNSUPPORTED.find((name) => form.has(name))
  if (unsupported !== undefined) return malformed(`${unsupported} is not supported`)
  const resource = form.get('resource')
  if (resource === undefined) return malformed('resource is missing')
  if (!details.ok) return ok(true)
  const meant = details.value.kind === 'call' ? details.value.request.locations[0] : engine.issuer
  if (resource === meant) return ok(true)
  return reject('invalid_target', { reason: 'audience-mismatch', detail: 'resource is not what the details are for' })
}

async function clientCredentials(engine: Engine, request: OAuthRequest, details: Details): Promise<Step<object>> {
  // The user of a task is settled when it opens.
  if (request.form.has('subject_token') && (details.kind === 'renew' || details.kind === 'none')) {
    return malformed('a subject token has no meaning here')
  }
  const proven = await proveWorkload(engine, request)
  if (!proven.ok) return proven
  const { workload, jkt } = proven.value
  if (details.kind === 'none') return callerToken(engine, workload.registrant, jkt)
  const agent = agentOf(engine, workload)
  if (!agent.ok) return agent
  const own: ProvenAgent = { agent: agent.value, workload, jkt }
  if (details.kind === 'open') return openTask(engine, own, { entry: details.entry, request })
  if (details.kind === 'renew') return renewTask(engine, own, { txn: details.txn, request })
  const { request: call, purpose } = details
  return purpose === undefined
    ? reject('invalid_authorization_details', {
        reason: 'details-invalid',
        detail: 'a call without a task names its purpose',
      })
    : singleCall(engine, own, { call, purpose, request })
}

/** Identity by assertion, key by proof, and both on record: who presents an assertion holds the key of its first use. */
async function proveWorkload(
  engine: Engine,
  request: OAuthRequest,
): Promise<Step<{ readonly workload: AuthenticatedWorkload; readonly jkt: string }>> {
  const { attempt } = request
  const workload = await authenticate(engine, request)
  if (!workload.ok) return workload
  const proof = await proveKey(engine, request, { url: `${engine.issuer}/token` })
  if (!proof.ok) return proof
  const { registrant } = workload.value
  const paced = refusePaced(engine, attempt, registrant.id)
  if (paced !== undefined) return paced
  const spent = await spendProof(engine, proof.value)
  if (!spent.ok) return spent
  const tooMany = takePace(engine, attempt, registrant.id)
  if (tooMany !== undefined) return tooMany
  const { jkt } = proof.value
  attempt.standing = 'identified'
  learn(attempt, () => ({
    client_id: registrant.id,
    jkt,
    owner: registrant.kind === 'agent' ? registrant.agent.owner : undefined,
  }))
  const bound = await bindAssertion(engine, workload.value, jkt)
  if (!bound.ok) return bound
  attempt.standing = 'authenticated'
  return ok({ workload: workload.value, jkt })
}

const malformed = (detail: string): Refusal => reject('invalid_request', { reason: 'request-invalid', detail })
