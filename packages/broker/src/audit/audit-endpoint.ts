import {
  isIntroduction,
  isJsonObject,
  ok,
  parseStrictJson,
  parseVerifierEvent,
  sha256Base64url,
  verifySourceCheckpoint,
  type AuditEvent,
  type JsonObject,
  type JsonValue,
} from '@hallpass/core'
import type { Engine } from '../engine.ts'
import { answer, type Answer } from '../http/answer.ts'
import type { OAuthRequest } from '../http/oauth-request.ts'
import { reject, type Step } from '../http/refusal.ts'
import { recogniseCaller, type Caller } from '../token/caller-token.ts'

const MAX_EVENTS = 1000

type Api = Extract<Caller, { kind: 'api' }>

/**
 * `POST /audit`: events of an API's verifiers, each kept once by its id, and a checkpoint over their chain, signed by the
 * key that proves this very request. An API speaks only for itself.
 */
export async function auditEndpoint(engine: Engine, request: OAuthRequest): Promise<Answer> {
  const { attempt } = request
  return answer(engine, { attempt, challenge: true }, async () => {
    const caller = await recogniseCaller(engine, request, `${engine.issuer}/audit`)
    if (!caller.ok) return caller
    if (caller.value.kind !== 'api') return reject('invalid_token', { reason: 'caller-not-allowed' })
    attempt.standing = 'authenticated'
    const report = readReport(request)
    if (!report.ok) return report
    const events = readEvents(report.value['events'], caller.value.audience)
    if (!events.ok) return events
    const vouched = await readVouched(engine, report.value, caller.value)
    if (!vouched.ok) return vouched
    await engine.events.merge([...events.value, ...vouched.value])
    // The sender forgets what is acknowledged: a trail that groups its writes has to have them on disk first.
    await engine.audit.flush()
    return ok({ accepted: events.value.length })
  })
}

const MEMBERS = new Set(['events', 'checkpoint', 'introduction'])

const invalid = (detail: string): Step<never> => reject('invalid_request', { reason: 'request-invalid', detail })

function readReport({ body }: OAuthRequest): Step<JsonObject> {
  const json = parseStrictJson(body ?? '')
  const isReport = json.ok && isJsonObject(json.value) && Object.keys(json.value).every((name) => MEMBERS.has(name))
  return isReport ? ok(json.value) : invalid('not a list of events')
}

function readEvents(list: JsonValue | undefined, audience: string): Step<readonly AuditEvent[]> {
  if (!Array.isArray(list) || list.length > MAX_EVENTS) return invalid('not a list of events')
  const events: AuditEvent[] = []
  for (const item of list as readonly JsonValue[]) {
    const event = parseVerifierEvent(item, audience)
    if (!event.ok) return reject('invalid_request', event)
    events.push(event.value)
  }
  return ok(events)
}

/** The checkpoint as an event of this broker's, none where none came. Sent again it has the same id. */
async function readVouched(
  engine: Engine,
  { checkpoint: jws, introduction }: JsonObject,
  { id, audience, jkt }: Api,
): Promise<Step<readonly AuditEvent[]>> {
  if (jws === undefined) return introduction === undefined ? ok([]) : invalid('an introduction without a checkpoint')
  if (typeof jws !== 'string') return invalid('the checkpoint is no text')
  const checkpoint = await verifySourceCheckpoint(jws)
  if (!checkpoint.ok) return invalid('the checkpoint does not hold')
  const { source, chain, seq, jkt: signer } = checkpoint.value
  if (signer !== jkt || source !== `verifier:${audience}`)
    return reject('invalid_request', { reason: 'caller-not-allowed', detail: 'a checkpoint of somebody else' })
  // Anything but a statement about this key is a credential, and no trail holds one.
  if (introduction !== undefined && !isIntroduction(introduction, jkt)) return invalid('the introduction')
  const { time, source: from } = engine.recorder.stamp()
  return ok([
    {
      id: `ev_${sha256Base64url(jws).slice(0, 22)}`,
      type: 'trail.vouched',
      time,
      source: from,
      client_id: id,
      aud: audience,
      jkt,
      detail: `Lines up to ${seq} of ${chain}`,
      data: { jws, ...(introduction !== undefined && { introduction }) },
    },
  ])
}
