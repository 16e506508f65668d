import type { ActionName, Api, JsonValue } from '@hallpass/core'
import type { Rollout } from './rollout.ts'
import type { GrantOf, Verifier } from './verifier.ts'
import { finishResponse } from './web/finish-response.ts'
import { webCall, webResponse } from './web/web-call.ts'

export interface ProtectOptions extends Omit<Rollout, 'orElse'> {
  /** Answers a request without any Hallpass credential the way the route did before, on record. */
  readonly orElse?: (request: Request) => Response | Promise<Response>
}

/** What a protected handler gets beside the request, whose own body was read. */
export interface ProtectedCall<G> {
  readonly grant: G
  /** The body that was checked; undefined where there was none. */
  readonly body: JsonValue | undefined
}

/**
 * Guards a fetch handler for one action: it runs only for a request that a live grant covers, once per use.
 *
 * Route parameters are read off the path by the action's own template. Under `observeOnlyUntil` a request that would be
 * refused runs without a grant: `call` is undefined then, and only then.
 */
export function protect<A extends Api, N extends ActionName<A>, O extends ProtectOptions>(
  verifier: Verifier<A>,
  action: N,
  handler: (
    request: Request,
    call: O extends { readonly observeOnlyUntil: Date } ? ProtectedCall<GrantOf<A, N>> | undefined : ProtectedCall<GrantOf<A, N>>,
  ) => Response | Promise<Response>,
  options?: O,
): (request: Request) => Promise<Response> {
  const { orElse, observeOnlyUntil }: ProtectOptions = options ?? {}
  const guarded = verifier.forAction(action, {
    orElse: orElse !== undefined,
    ...(observeOnlyUntil === undefined ? {} : { observeOnlyUntil }),
  })
  type Call = Parameters<typeof handler>[1]

  return async function protectedHandler(request) {
    const verdict = await guarded.verify(webCall(request))
    switch (verdict.kind) {
      case 'refused':
      case 'repeated':
        return webResponse(verdict.answer())
      case 'passed':
        return verdict.by === 'or-else' && orElse !== undefined ? orElse(request) : handler(request, undefined as Call)
      case 'admitted':
        break
    }
    try {
      const { grant, body } = verdict
      return finishResponse(verdict, await handler(request, { grant, body } as Call))
    } catch (error) {
      await verdict.settle({ status: 500 })
      throw error
    }
  }
}
