import { isJsonObject, ok, parseStrictJson, type JsonValue } from '@hallpass/core'
import type { Engine } from '../../engine.ts'
import { answer, type Answer } from '../../http/answer.ts'
import type { OAuthRequest } from '../../http/oauth-request.ts'
import { reject, type Step } from '../../http/refusal.ts'
import { recogniseCaller, type Caller } from '../../token/caller-token.ts'
import type { Poll } from './polls.ts'
import { securityEvent, signEvent } from './security-event.ts'

interface Wish {
  readonly maxEvents: number
  readonly settled: readonly string[]
}

const MOST = 100

/**
 * `POST /ssf/poll` (RFC 8936): an API's receiver is given what concerns that API, an operator's everything, each event
 * until it is acknowledged or called wrong. Answers at once, whatever `returnImmediately` says.
 */
export async function pollEndpoint(engine: Engine, request: OAuthRequest): Promise<Answer> {
  const { attempt } = request
  return answer(engine, { attempt, challenge: true }, async () => {
    const caller = await recogniseCaller(engine, request, `${engine.issuer}/ssf/poll`)
    if (!caller.ok) return caller
    const { kind, id } = caller.value
    if (kind !== 'api' && kind !== 'operator') return reject('invalid_token', { reason: 'caller-not-allowed' })
    attempt.standing = 'authenticated'
    const wish = readWish(request)
    if (!wish.ok) return wish
    const poll = engine.polls.of(id)
    for (const jti of wish.value.settled) poll.open.delete(jti)
    // Zero events is a poll that only acknowledges (RFC 8936 section 2.4).
    let more = false
    if (wish.value.maxEvents > 0 && poll.open.size === 0) {
      poll.filling ??= fill(engine, caller.value, poll).finally(() => (poll.filling = undefined))
      more = await poll.filling
    }
    const given = [...poll.open].slice(0, wish.value.maxEvents)
    return ok({ sets: Object.fromEntries(given), moreAvailable: more || given.length < poll.open.size })
  })
}

/** The next lines that concern the caller, signed. True when there are more. */
async function fill(engine: Engine, caller: Caller, { reader, open }: Poll): Promise<boolean> {
  const { issuer } = engine
  const about = caller.kind === 'api' ? { about: caller.audience, audience: caller.audience } : { audience: caller.id }
  for (;;) {
    const { entries, more } = await reader.next(MOST)
    const page: [jti: string, token: string][] = []
    for (const entry of entries) {
      const event = securityEvent(entry, { issuer, now: engine.clock(), ...about })
      if (event !== undefined) page.push([event.jti, await signEvent(engine.tokens, event)])
    }
    // All of it or nothing: what is open is all that is left of a page once the reader is told that it was taken.
    for (const [jti, token] of page) open.set(jti, token)
    reader.taken()
    if (open.size > 0 || !more) return more
  }
}

function readWish({ body }: OAuthRequest): Step<Wish> {
  const json = parseStrictJson(body ?? '')
  const wish = json.ok && isJsonObject(json.value) ? json.value : undefined
  const { maxEvents = MOST, ack = [], setErrs = {} } = wish ?? {}
  const isCount = typeof maxEvents === 'number' && Number.isSafeInteger(maxEvents) && maxEvents >= 0
  const isList = Array.isArray(ack) && ack.every((jti: JsonValue) => typeof jti === 'string')
  if (wish === undefined || !isCount || !isList || !isJsonObject(setErrs)) {
    return reject('invalid_request', { reason: 'request-invalid', detail: 'not a poll request' })
  }
  const settled = [...(ack as readonly string[]), ...Object.keys(setErrs)]
  return ok({ maxEvents: Math.min(maxEvents, MOST), settled })
}
