import type { ActionName, Api } from '@hallpass/core'
import { isPromise } from '@hallpass/core'
import type { NextFunction, Request, RequestHandler, Response } from 'express'
import { grantFor, keepGrant } from '../door/granted.ts'
import { laxJson } from '../door/lax-json.ts'
import { trackResponse } from '../node-http/track-response.ts'
import { writeAnswer } from '../node-http/write-answer.ts'
import type { Verdict } from '../verdict.ts'
import type { GrantOf, Verifier } from '../verifier.ts'
import { expressCall, underMount } from './express-call.ts'
import { markGuard } from './guard-marks.ts'

export interface RequireGrantOptions {
  /** The route's old authentication: gets requests without any Hallpass credential, on record. Never a bad one. */
  readonly orElse?: RequestHandler
  /** Until then refusals are recorded and change no answer; from then on they refuse. At most 90 days ahead. */
  readonly observeOnlyUntil?: Date
}

/** A guard that takes on the types of the route it stands in, and leaves the handler's own alone. */
export type GrantGuard = <P, ResBody, ReqBody, ReqQuery, Locals extends Record<string, unknown>>(
  req: Request<P, ResBody, ReqBody, ReqQuery, Locals>,
  res: Response<ResBody, Locals>,
  next: NextFunction,
) => void

/**
 * Guards one Express route for one action. Mount it on the route itself, before the handler.
 *
 * Reads the body itself, raw, and puts the checked object into `req.body`: no other body parser may run before it,
 * `jsonBody()` aside, or it fails with `body-consumed`.
 * @throws HallpassError `configuration-invalid` for an action the catalog has not.
 */
export function requireGrant<A extends Api>(
  verifier: Verifier<A>,
  action: ActionName<A>,
  options: RequireGrantOptions = {},
): GrantGuard {
  const { orElse, observeOnlyUntil } = options
  const guarded = verifier.forAction(action, {
    orElse: orElse !== undefined,
    ...(observeOnlyUntil === undefined ? {} : { observeOnlyUntil }),
  })
  const mounts = new Set<string>()
  const routeNames = [...(guarded.action.path ?? '').matchAll(/\{([^{}]+)\}/g)].map((match) => match[1] ?? '')

  function act({ req, res, next }: Exchange, verdict: Verdict): void {
    switch (verdict.kind) {
      case 'refused':
      case 'repeated':
        writeAnswer(res, verdict.answer())
        return
      case 'passed':
        if (verdict.by === 'or-else' && orElse !== undefined) {
          void runOldAuthentication(orElse, { req, res, next })
          return
        }
        if (verdict.bytes !== undefined) req.body = laxJson(verdict.bytes)
        next()
        return
      case 'admitted':
        keepGrant(req, { verifier, action, grant: verdict.grant })
        if (verdict.body !== undefined) req.body = verdict.body
        trackResponse(verdict, res)
        next()
    }
  }

  async function actLater(exchange: Exchange, verdict: Promise<Verdict>): Promise<void> {
    try {
      act(exchange, await verdict)
    } catch (error) {
      exchange.next(error)
    }
  }

  function requireGrantHandler(req: Request, res: Response, next: NextFunction): void {
    const call = expressCall(req, routeNames, requireGrantHandler)
    const verdict = guarded.verify(mounts.size === 0 ? call : underMount(call, mounts))
    // A verdict that is there takes no detour through a promise.
    if (isPromise(verdict)) void actLater({ req, res, next }, verdict)
    else act({ req, res, next }, verdict)
  }
  markGuard(requireGrantHandler, { verifier, action: guarded.action, mounts })
  return requireGrantHandler as unknown as GrantGuard
}

/**
 * The grant of a request that `requireGrant` let through, with the parameters of its action typed.
 * @throws HallpassError `guard-missing` where no guard of this verifier let it through for this action.
 */
export const grantOf = <A extends Api, N extends ActionName<A>>(
  verifier: Verifier<A>,
  action: N,
  req: object,
): GrantOf<A, N> => grantFor(req, verifier, action) as GrantOf<A, N>

interface Exchange {
  readonly req: Request
  readonly res: Response
  readonly next: NextFunction
}

async function runOldAuthentication(handler: RequestHandler, { req, res, next }: Exchange): Promise<void> {
  try {
    await handler(req, res, next)
  } catch (error) {
    next(error)
  }
}
