import { ok } from '@hallpass/core'
import type { Engine } from '../../engine.ts'
import { answer, type Answer } from '../../http/answer.ts'
import type { OAuthRequest } from '../../http/oauth-request.ts'
import { reject } from '../../http/refusal.ts'
import { recogniseCaller } from '../../token/caller-token.ts'
import { cursorOf } from './feed-message.ts'

/**
 * `GET /events`: the revocation feed of one API as an event stream, to the API itself (its token, and a proof by the
 * token's key). `Last-Event-ID` goes on from there. The stream ends with the token. An answer that is none is refused.
 */
export async function eventsEndpoint(
  engine: Engine,
  request: OAuthRequest,
  lastEventId: string | null,
): Promise<ReadableStream<Uint8Array> | Answer> {
  let stream: ReadableStream<Uint8Array> | undefined
  const { attempt } = request
  const refused = await answer(engine, { attempt, challenge: true }, async () => {
    const caller = await recogniseCaller(engine, request, `${engine.issuer}/events`)
    if (!caller.ok) return caller
    if (caller.value.kind !== 'api') return reject('invalid_token', { reason: 'caller-not-allowed' })
    attempt.standing = 'authenticated'
    if (engine.isDraining)
      return reject('temporarily_unavailable', { reason: 'overloaded', detail: 'this broker is about to end' })
    const { audience, exp } = caller.value
    stream = engine.feed.open({ audience, after: cursorOf(lastEventId), seconds: exp - engine.clock() })
    return stream === undefined ? reject('temporarily_unavailable', { reason: 'ledger-full' }) : ok({})
  })
  return stream ?? refused
}
