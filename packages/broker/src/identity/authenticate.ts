import { ok, refuse, type RefusalReason, type Result } from '@hallpass/core'
import type { Engine } from '../engine.ts'
import type { OAuthRequest } from '../http/oauth-request.ts'
import type { Form } from '../http/form.ts'
import { reject, type Step } from '../http/refusal.ts'
import { verifyAssertion, type AuthenticatedWorkload, type PresentedAssertion } from './assertion.ts'

/** What a form presents to authenticate its client; undefined when it presents nothing. */
export function presentedAssertion(form: Form): Result<PresentedAssertion | undefined, RefusalReason> {
  const type = form.get('client_assertion_type')
  const assertion = form.get('client_assertion')
  const clientId = form.get('client_id')
  if (form.has('client_secret')) return refuse('credential-malformed', 'client_secret')
  if (type === undefined && assertion === undefined) return ok(undefined)
  if (type === undefined || assertion === undefined) return refuse('credential-malformed', 'half a client assertion')
  return ok({ type, assertion, ...(clientId === undefined ? {} : { clientId }) })
}

/**
 * Authenticates the client by its assertion; 401 `invalid_client` with one message for every reason.
 * `bindAssertion` must follow once the key of the request is proven.
 */
export async function authenticate(engine: Engine, ask: OAuthRequest): Promise<Step<AuthenticatedWorkload>> {
  if (ask.authorization !== undefined) {
    return reject('invalid_client', { reason: 'credential-malformed', detail: 'two ways of authentication' })
  }
  const presented = presentedAssertion(ask.form)
  if (!presented.ok) return reject('invalid_client', presented)
  if (presented.value === undefined) return reject('invalid_client', { reason: 'credential-missing' })
  const workload = await verifyAssertion(engine.assertions, presented.value)
  return workload.ok ? workload : reject('invalid_client', workload)
}

/** Puts on record which key presented an assertion; another key than allowed means it was copied. */
export async function bindAssertion(
  engine: Engine,
  { identity, registrant, boundTo }: AuthenticatedWorkload,
  jkt: string,
): Promise<Step<{ readonly keys: number }>> {
  if (boundTo !== undefined && boundTo !== jkt) {
    return reject('invalid_client', { reason: 'binding-failed', detail: 'the assertion is bound to another key' })
  }
  const bounds = { maxKeys: registrant.identity.keysPerAssertion ?? 1, until: identity.exp }
  const bound = await engine.ledger.bindKey(`${identity.iss} ${identity.assertion}`, jkt, bounds)
  return bound.ok ? bound : reject('invalid_client', bound)
}
