import { ok, parseStrictJson, parseVerifierEvent, type AuditEvent, type JsonValue } from '@hallpass/core'
import type { Engine } from '../engine.ts'
import { answer, type Answer } from '../http/answer.ts'
import { isJsonObject } from '../http/json-object.ts'
import type { OAuthRequest } from '../http/oauth-request.ts'
import { reject, type Step } from '../http/refusal.ts'
import { recogniseCaller } from '../token/caller-token.ts'

const MAX_EVENTS = 1000

/** `POST /audit`: events of an API's verifiers, each kept once by its id; an API speaks only for itself. */
export async function auditEndpoint(engine: Engine, request: OAuthRequest): Promise<Answer> {
  const { attempt } = request
  return answer(engine, { attempt, challenge: true }, async () => {
    const caller = await recogniseCaller(engine, request, `${engine.issuer}/audit`)
    if (!caller.ok) return caller
    if (caller.value.kind !== 'api') return reject('invalid_token', { reason: 'caller-not-allowed' })
    attempt.standing = 'authenticated'
    const { audience } = caller.value
    const events = readEvents(request, audience)
    if (!events.ok) return events
    await engine.events.merge(events.value)
    // The sender forgets what is acknowledged: a trail that groups its writes has to have them on disk first.
    await engine.audit.flush()
    return ok({ accepted: events.value.length })
  })
}

function readEvents({ body }: OAuthRequest, audience: string): Step<readonly AuditEvent[]> {
  const json = parseStrictJson(body ?? '')
  const list =
    json.ok && isJsonObject(json.value) && Object.keys(json.value).length === 1 ? json.value['events'] : undefined
  if (!Array.isArray(list) || list.length > MAX_EVENTS) {
    return reject('invalid_request', { reason: 'request-invalid', detail: 'not a list of events' })
  }
  const events: AuditEvent[] = []
  for (const item of list as readonly JsonValue[]) {
    const event = parseVerifierEvent(item, audience)
    if (!event.ok) return reject('invalid_request', event)
    events.push(event.value)
  }
  return ok(events)
}
