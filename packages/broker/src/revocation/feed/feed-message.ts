import { encodeBase64url, feedEvents, randomId, TYP, type FeedRun } from '@hallpass/core'
import type { OwnTokens } from '../../token/own-tokens.ts'

/** What every message of one broker says of itself. */
export interface Transmitter {
  readonly issuer: string
  readonly tokens: OwnTokens
  /** NumericDate seconds. */
  readonly clock: () => number
}

/**
 * One message of the event stream: a signed Security Event Token (RFC 8417) about a run of the log, and the place to
 * resume from. One signature serves every subscriber of the audience, however many revocations it carries.
 */
export async function feedMessage(
  { issuer, tokens, clock }: Transmitter,
  audience: string,
  { txn, ...run }: FeedRun & { readonly txn?: string },
): Promise<Uint8Array> {
  const claims = {
    iss: issuer,
    aud: audience,
    iat: clock(),
    jti: randomId('set_'),
    ...(txn !== undefined && { txn }),
    events: feedEvents(run),
  }
  const token = await tokens.sign(JSON.stringify(claims), TYP.securityEvent)
  return text.encode(`id: ${placeOf(run.cursor)}\nevent: revocations\ndata: ${token}\n\n`)
}

const text = new TextEncoder()
const MAX_PLACE_CHARS = 4096

/** A cursor as it may stand in a header: `Last-Event-ID` brings it back. */
const placeOf = (cursor: string): string => encodeBase64url(text.encode(cursor))

/** The cursor a reader wants to go on from; undefined = from the start. The ledger says whether it is one. */
export function cursorOf(lastEventId: string | null): string | undefined {
  if (lastEventId === null || lastEventId.length > MAX_PLACE_CHARS || !/^[\w-]+$/.test(lastEventId)) return undefined
  return Buffer.from(lastEventId, 'base64url').toString()
}
