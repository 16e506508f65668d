import type { ActionName, Api, RefusalReason } from '@hallpass/core'
import { HallpassError, ok } from '@hallpass/core'
import type { GrantOf, Verifier } from './verifier.ts'

/** A call of a local function: a grant and a proof, and what would be a request's body. */
export interface LocalCall {
  /** `DPoP <token>`. */
  readonly authorization: string
  /** Proof for `POST` to the guarded function's `url`, over `body`. */
  readonly proof: string
  /** `{"resource":"…","parameters":{…}}` as it was proven. */
  readonly body: string
  readonly idempotencyKey?: string
}

export type LocalOutcome<R> =
  | { readonly ok: true; readonly value: R; readonly event: string }
  | { readonly ok: false; readonly reason: RefusalReason; readonly event: string }

/** A function in this process that runs only for a call a live grant covers. */
export interface GuardedFunction<Name extends string, R> {
  readonly action: Name
  readonly audience: string
  readonly method: 'POST'
  /** What the proof's `htu` must say; nothing listens there. */
  readonly url: string
  call(call: LocalCall): Promise<LocalOutcome<R>>
}

/**
 * Guards a function in this process for an action that has no route, with every check a request gets.
 *
 * The proof is over `POST <public URL>/.well-known/hallpass/local/<action>` and the body, in which resource and
 * parameters stand. The function runs once per use; what it throws is thrown to the caller and recorded as status 500.
 * @throws HallpassError `configuration-invalid` for an action that has a route, or that the catalog has not.
 */
export function guard<A extends Api, N extends ActionName<A>, R>(
  verifier: Verifier<A>,
  action: N,
  run: (grant: GrantOf<A, N>) => R | Promise<R>,
): GuardedFunction<N, R> {
  const guarded = verifier.forAction(action)
  if (guarded.action.path !== undefined) {
    throw new HallpassError('configuration-invalid', `${action} has a route; guard() is for actions without one`)
  }
  const target = `/.well-known/hallpass/local/${encodeURIComponent(action)}`
  return {
    action,
    audience: verifier.audience,
    method: 'POST',
    url: verifier.publicUrl.replace(/\/$/, '') + target,
    async call({ authorization, proof, body, idempotencyKey }) {
      const headers = ['authorization', authorization, 'dpop', proof]
      if (idempotencyKey !== undefined) headers.push('idempotency-key', idempotencyKey)
      const bytes = new TextEncoder().encode(body)
      const verdict = await guarded.verify({
        method: 'POST',
        target,
        headers,
        body: (limitBytes) => (bytes.length > limitBytes ? { ok: false, reason: 'body-too-large' } : ok(bytes)),
      })
      if (verdict.kind === 'admitted') {
        try {
          const value = await run(verdict.grant)
          await verdict.settle({ status: 200 })
          return { ok: true, value, event: verdict.grant.event }
        } catch (error) {
          await verdict.settle({ status: 500 })
          throw error
        }
      }
      const reason = verdict.kind === 'repeated' ? 'idempotency-done' : verdict.reason
      return { ok: false, reason, event: verdict.event }
    },
  }
}
