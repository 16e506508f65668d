import type { ActionName, Api, JsonValue } from '@hallpass/core'
import type { GrantOf, Verifier } from './verifier.ts'
import { finishResponse } from './web/finish-response.ts'
import { webCall, webResponse } from './web/web-call.ts'

/** What a protected handler gets beside the request, whose own body was read. */
export interface ProtectedCall<G> {
  readonly grant: G
  /** The body that was checked; undefined where there was none. */
  readonly body: JsonValue | undefined
}

type Answer = Response | Promise<Response>

export type ProtectedHandler<G> = (request: Request, call: ProtectedCall<G>) => Answer

/** A handler on a route that is still being moved over. */
export interface ProtectRollout<G> {
  /** Runs without a call where the grant would be refused and `observeOnlyUntil` has not come yet. */
  readonly handler: (request: Request, call: ProtectedCall<G> | undefined) => Answer
  /** Answers a request without any Hallpass credential the way the route did before, on record. Never a bad one. */
  readonly orElse?: (request: Request) => Answer
  /** Until then refusals are recorded and change no answer; from then on they refuse. At most 90 days ahead. */
  readonly observeOnlyUntil?: Date
}

/**
 * Guards a fetch handler for one action: it runs only for a request that a live grant covers, once per use.
 *
 * Route parameters are read off the path by the action's own template.
 * @throws HallpassError `configuration-invalid` for an action the catalog has not, or a rollout that never ends.
 */
export function protect<A extends Api, N extends ActionName<A>>(
  verifier: Verifier<A>,
  action: N,
  handler: ProtectedHandler<GrantOf<A, N>> | ProtectRollout<GrantOf<A, N>>,
): (request: Request) => Promise<Response> {
  const rollout = typeof handler === 'function' ? undefined : handler
  const { orElse, observeOnlyUntil } = rollout ?? {}
  const run = (rollout?.handler ?? handler) as ProtectRollout<GrantOf<A, N>>['handler']
  const guarded = verifier.forAction(action, {
    orElse: orElse !== undefined,
    ...(observeOnlyUntil === undefined ? {} : { observeOnlyUntil }),
  })

  return async function protectedHandler(request) {
    const verdict = await guarded.verify(webCall(request))
    switch (verdict.kind) {
      case 'refused':
      case 'repeated':
        return webResponse(verdict.answer())
      case 'passed':
        return verdict.by === 'or-else' && orElse !== undefined ? orElse(request) : run(request, undefined)
      case 'admitted':
        break
    }
    try {
      const { grant, body } = verdict
      return finishResponse(verdict, await run(request, { grant, body }))
    } catch (error) {
      await verdict.settle({ status: 500 })
      throw error
    }
  }
}
