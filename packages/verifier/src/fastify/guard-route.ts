import type { JsonValue } from '@hallpass/core'
import { HallpassError, isPromise } from '@hallpass/core'
import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import { keepGrantOn } from '../door/granted.ts'
import { laxJson } from '../door/lax-json.ts'
import { announcesBody, nodeBodyReader } from '../node-http/read-node-body.ts'
import type { NodeResponse } from '../node-http/node-message.ts'
import { isHttp2, leavesBodyUnread } from '../node-http/write-answer.ts'
import { trackResponse } from '../node-http/track-response.ts'
import type { Answer } from '../refusal/answer.ts'
import type { IncomingCall } from '../request/incoming-call.ts'
import type { PassedCall, Verdict } from '../verdict.ts'
import type { ActionVerifier, OpenCall, Verifier } from '../verifier.ts'
import type { DeclaredRoute, OldAuthentication } from './declaration.ts'

/** Where a guarded request is in the flow. Kept on the request under a symbol that nobody else has. */
export const STAGE: unique symbol = Symbol('hallpass')

interface Staged {
  [STAGE]: OpenCall | PassedCall | undefined
}

type Opened = OpenCall | Exclude<Verdict, { readonly kind: 'admitted' }>

export type Hook = (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction) => void

/** Whether the guard reads this request's body itself, so that no parser may touch it. */
export const readsOwnBody = (request: FastifyRequest): boolean => (request as unknown as Staged)[STAGE]?.kind === 'open'

interface GuardedRoute {
  readonly verifier: Verifier
  readonly declared: DeclaredRoute
  readonly guarded: ActionVerifier
  /** Fixed prefix of the route before the action's own path. */
  readonly mount: string
  /** The route has a schema that may rewrite the body, query or route parameters it validates. */
  readonly hasSchema: boolean
}

/** What a handler reads of a request. */
type Input = Pick<FastifyRequest, 'body' | 'params' | 'query'>

/** The hooks of one guarded route: the token before the body is read, the rest after it. */
export function guardRoute({ verifier, declared, guarded, mount, hasSchema }: GuardedRoute): {
  onRequest: Hook
  preValidation: Hook
  preHandler: Hook | undefined
} {
  const { action, orElse } = declared
  const checked = new WeakMap<FastifyRequest, Input>()

  const opened = ({ request, reply, done }: HookCall, stage: Opened): void => {
    if (stage.kind === 'refused' || stage.kind === 'repeated') return send(reply, stage.answer())
    ;(request as unknown as Staged)[STAGE] = stage
    done()
  }

  const onRequest: Hook = (request, reply, done) => {
    goOn({ request, reply, done }, guarded.open(fastifyCall(request, mount)), opened)
  }

  const preValidation: Hook = (request, reply, done) => {
    const stage = (request as unknown as Staged)[STAGE]
    if (stage?.kind !== 'open') {
      if (stage?.kind === 'passed' && stage.by === 'or-else' && orElse !== undefined)
        void runOld(orElse, { request, reply, done })
      else done()
      return
    }
    if (announcesBody(request.raw) && request.raw.readableDidRead) {
      done(
        new HallpassError(
          'body-consumed',
          'Another content type parser read this request, so its raw bytes are gone; remove it from the guarded scope',
        ),
      )
      return
    }
    goOn({ request, reply, done }, stage.finish(), admit)
  }

  const admit = ({ request, reply, done }: HookCall, verdict: Verdict): void => {
    switch (verdict.kind) {
      case 'refused':
      case 'repeated':
        return send(reply, verdict.answer())
      case 'passed':
        request.body = verdict.bytes === undefined ? request.body : laxJson(verdict.bytes)
        return done()
      case 'admitted':
        keepGrantOn(request, { verifier, action, grant: verdict.grant })
        trackResponse(verdict, reply.raw)
        // Also where there is none: a hook of the app's may have put something there.
        request.body = hasSchema ? structuredClone(verdict.body) : verdict.body
        if (hasSchema) checked.set(request, inputOf(request, verdict.body))
        return done()
    }
  }

  // A schema validator may have coerced and filled in what it was given; the handler gets what was checked.
  const preHandler: Hook = (request, _reply, done) => {
    const input = checked.get(request)
    if (input !== undefined) Object.assign(request, input)
    done()
  }

  return { onRequest, preValidation, preHandler: hasSchema ? preHandler : undefined }
}

/** Copies query and route parameters, which are flat, since a validator writes into them. */
const inputOf = ({ params, query }: FastifyRequest, body: JsonValue | undefined): Input => ({
  body,
  params: { ...(params as object) },
  query: { ...(query as object) },
})

interface HookCall {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly done: HookHandlerDoneFunction
}

/** Goes on at once where the verdict is there, so that a warm request takes no detour through a promise. */
function goOn<T>(call: HookCall, value: T | Promise<T>, proceed: (call: HookCall, value: T) => void): void {
  if (isPromise(value)) void goOnLater(call, value, proceed)
  else proceed(call, value)
}

async function goOnLater<T>(
  call: HookCall,
  value: Promise<T>,
  proceed: (call: HookCall, value: T) => void,
): Promise<void> {
  try {
    proceed(call, await value)
  } catch (error) {
    call.done(error as Error)
  }
}

function fastifyCall(request: FastifyRequest, mount: string): IncomingCall {
  const { raw } = request
  const call = {
    method: request.method,
    target: request.originalUrl,
    headers: raw.rawHeaders,
    route: request.params as Readonly<Record<string, string>>,
    mount,
  }
  return announcesBody(raw) ? { ...call, body: nodeBodyReader(raw) } : call
}

function send(reply: FastifyReply, { status, headers, body }: Answer): void {
  // A body that was not read has to go with its connection.
  if (leavesBodyUnread(status) && !isHttp2(reply.raw as NodeResponse)) reply.header('connection', 'close')
  reply
    .code(status)
    .headers({ ...headers })
    .send(body)
}

async function runOld(orElse: OldAuthentication, { request, reply, done }: HookCall): Promise<void> {
  try {
    await orElse(request, reply)
    if (!reply.sent) done()
  } catch (error) {
    done(error as Error)
  }
}
