import type { AuditSink, BrokerOperation } from '@hallpass/core'
import { auditEndpoint } from '../audit/audit-endpoint.ts'
import type { Engine } from '../engine.ts'
import { redeemEndpoint } from '../ledger/redeem-endpoint.ts'
import { eventsEndpoint } from '../revocation/feed/events-endpoint.ts'
import { pollEndpoint } from '../revocation/ssf/poll-endpoint.ts'
import { revocationsEndpoint } from '../revocation/revocations-endpoint.ts'
import { revokeEndpoint } from '../revocation/revoke-endpoint.ts'
import { introspectEndpoint } from '../token/introspect-endpoint.ts'
import { answer, type Answer } from './answer.ts'
import { newAttempt } from './attempt.ts'
import { MAX_FORM_BYTES, MAX_JSON_BYTES, readBody, textOf } from './body.ts'
import { parseForm } from './form.ts'
import { createReadiness } from './health.ts'
import { metadata, metadataPath } from './metadata.ts'
import type { OAuthRequest } from './oauth-request.ts'
import { reject, type ErrorCode, type Refusal, type Step } from './refusal.ts'
import { signalsEndpoint } from '../trigger/signals-endpoint.ts'
import { answerTraced } from '../telemetry/answer-traced.ts'
import { tokenEndpoint } from './token-endpoint.ts'

type Operation = Extract<
  BrokerOperation,
  'token' | 'revoke' | 'introspect' | 'redeem' | 'audit' | 'poll' | 'revocations' | 'signals'
>
type Endpoint = (engine: Engine, request: OAuthRequest) => Promise<Answer>

const FORM = { contentType: 'application/x-www-form-urlencoded', maxBytes: MAX_FORM_BYTES }
const JSON_BODY = { contentType: 'application/json', maxBytes: MAX_JSON_BYTES }

const POSTS: Readonly<Record<string, readonly [Endpoint, typeof FORM, Operation]>> = {
  '/token': [tokenEndpoint, FORM, 'token'],
  '/revoke': [revokeEndpoint, FORM, 'revoke'],
  '/introspect': [introspectEndpoint, FORM, 'introspect'],
  '/redeem': [redeemEndpoint, JSON_BODY, 'redeem'],
  '/audit': [auditEndpoint, JSON_BODY, 'audit'],
  '/ssf/poll': [pollEndpoint, JSON_BODY, 'poll'],
  '/revocations': [revocationsEndpoint, JSON_BODY, 'revocations'],
  '/signals': [signalsEndpoint, JSON_BODY, 'signals'],
}

/** What ends or stops something goes on when nothing else does. */
const URGENT: ReadonlySet<Endpoint> = new Set([revokeEndpoint, revocationsEndpoint, signalsEndpoint])

const MAX_HEADER_CHARS = 16 * 1024

/** The one door: a `Request` in, a `Response` out, and plain data in between. Never rejects. */
export function createRouter(engine: Engine, audit: AuditSink): (request: Request) => Promise<Response> {
  const prefix = new URL(engine.issuer).pathname.replace(/\/$/, '')
  const readiness = createReadiness(engine, audit)
  const reads = readRoutes(engine, readiness)

  return async (request) => {
    const { pathname, search } = new URL(request.url)
    const path =
      pathname === metadataPath(engine.issuer)
        ? METADATA
        : pathname.startsWith(`${prefix}/`)
          ? pathname.slice(prefix.length)
          : ''
    if (Object.hasOwn(POSTS, path)) {
      const post = POSTS[path]
      if (request.method !== 'POST' || post === undefined) return refuseRoute(engine, 'method_not_allowed')
      return respond(search === '' ? await read(engine, request, post) : await refuseQuery(engine))
    }
    if (path === '/events') {
      if (request.method !== 'GET') return refuseRoute(engine, 'method_not_allowed')
      return search === '' ? events(engine, request) : respond(await refuseQuery(engine))
    }
    const found = await reads(path)
    if (found === undefined) return refuseRoute(engine, 'not_found')
    if (request.method !== 'GET' && request.method !== 'HEAD') return refuseRoute(engine, 'method_not_allowed')
    return request.method === 'HEAD' ? new Response(null, { status: found.status, headers: found.headers }) : found
  }
}

const METADATA = '/.well-known/oauth-authorization-server'

function readRoutes(
  engine: Engine,
  readiness: ReturnType<typeof createReadiness>,
): (path: string) => Promise<Response | undefined> {
  const json = (body: object, init: { type?: string; cache?: string; status?: number } = {}): Response =>
    new Response(JSON.stringify(body), {
      status: init.status ?? 200,
      headers: { 'content-type': init.type ?? 'application/json', 'cache-control': init.cache ?? 'no-store' },
    })
  return async (path) => {
    switch (path) {
      case METADATA:
        return json(metadata(engine.issuer), { cache: 'public, max-age=300' })
      case '/jwks':
        return json(engine.keys.jwks(engine.clock()), { type: 'application/jwk-set+json', cache: 'public, max-age=60' })
      case '/healthz':
        return json({ up: true })
      case '/readyz': {
        const state = await readiness()
        return json(state, { status: state.ready ? 200 : 503 })
      }
      case '/status':
        return json({ status_lists: await engine.statusLists.uris() })
      default:
        return path.startsWith('/status/') ? statusList(engine, `${engine.issuer}${path}`) : undefined
    }
  }
}

async function statusList(engine: Engine, uri: string): Promise<Response | undefined> {
  try {
    const token = await engine.statusLists.token(uri)
    if (token === undefined) return undefined
    return new Response(token, {
      headers: { 'content-type': 'application/statuslist+jwt', 'cache-control': 'no-store' },
    })
  } catch {
    return refuseRoute(engine, 'temporarily_unavailable')
  }
}

/** The event stream is a response of its own kind: it goes on after its headers are out. */
async function events(engine: Engine, request: Request): Promise<Response> {
  const credentials = credentialsOf(request)
  if (credentials === undefined) return respond(await refuseEarly(engine, LONG_HEADER))
  const asked = { method: 'GET', form: new Map(), attempt: newAttempt(), ...credentials } as const
  const found = await eventsEndpoint(engine, asked, request.headers.get('last-event-id'))
  if (!(found instanceof ReadableStream)) return respond(found)
  const headers = { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' }
  return new Response(found, { headers })
}

const LONG_HEADER = { reason: 'request-malformed', detail: 'a header is too long' } as const

function credentialsOf({ headers }: Request): Pick<OAuthRequest, 'proof' | 'authorization'> | undefined {
  const proof = headers.get('dpop') ?? undefined
  const authorization = headers.get('authorization') ?? undefined
  if ((proof ?? '').length > MAX_HEADER_CHARS || (authorization ?? '').length > MAX_HEADER_CHARS) return undefined
  return { ...(proof !== undefined && { proof }), ...(authorization !== undefined && { authorization }) }
}

/** Reads headers and body of a POST and hands the plain data to its endpoint. */
async function read(
  engine: Engine,
  request: Request,
  [endpoint, expect, operation]: readonly [Endpoint, typeof FORM, Operation],
): Promise<Answer> {
  const credentials = credentialsOf(request)
  if (credentials === undefined) return refuseEarly(engine, LONG_HEADER)
  const body = await readBody(request, expect)
  if (!body.ok) return refuseEarly(engine, body)
  const text = expect === FORM ? textOf(body.value) : { ok: true as const, value: '' }
  if (!text.ok) return refuseEarly(engine, text)
  const form = parseForm(text.value)
  if (!form.ok) return refuseEarly(engine, form)
  // Taken when everything is here: whoever sends slowly takes nobody's place.
  if (!engine.room.enter(URGENT.has(endpoint))) return refuseEarly(engine, { reason: 'overloaded' })
  try {
    const attempt = newAttempt()
    const asked = { form: form.value, body: body.value, attempt, ...credentials }
    if (engine.telemetry === undefined) return await endpoint(engine, asked)
    const claim = request.headers.get('traceparent')
    return await answerTraced(engine.telemetry, { operation, claim, attempt }, () => endpoint(engine, asked))
  } finally {
    engine.room.leave()
  }
}

const refuseEarly = (engine: Engine, cause: Pick<Refusal, 'reason' | 'detail'>): Promise<Answer> =>
  answer(engine, { attempt: newAttempt() }, async (): Promise<Step<object>> => reject('invalid_request', cause))

const refuseQuery = (engine: Engine): Promise<Answer> =>
  refuseEarly(engine, { reason: 'request-malformed', detail: 'parameters belong into the body' })

async function refuseRoute(engine: Engine, error: ErrorCode): Promise<Response> {
  const cause = { reason: error === 'temporarily_unavailable' ? 'keys-unavailable' : 'request-malformed' } as const
  return respond(await answer(engine, { attempt: newAttempt() }, async () => reject(error, cause)))
}

const respond = ({ status, headers, body }: Answer): Response =>
  body === undefined
    ? new Response(null, { status, headers })
    : new Response(JSON.stringify(body), { status, headers: { ...headers, 'content-type': 'application/json' } })
