import { HallpassError } from '@hallpass/core'
import type { SteadyClock } from '../clock/steady-clock.ts'
import { refusal } from '../outcome/refusal.ts'
import type { ProofMaker } from '../proof/proof-maker.ts'
import type { GuardedFunction } from './call-outcome.ts'
import type { Place, WantedCall } from './call-plan.ts'
import type { Present } from './perform-call.ts'

export interface InvokeSetup {
  readonly places: readonly Place[]
  readonly proofs: () => Promise<ProofMaker>
  readonly clock: SteadyClock
  readonly idempotencyKey: string
}

/** Answers of a guard after which one new grant is worth asking for. */
const GONE: ReadonlySet<string> = new Set(['token-expired', 'grant-unknown', 'token-key-unknown'])

/**
 * Presents a grant to a function in this process, with a proof over resource and parameters.
 *
 * @throws `HallpassError` with `configuration-invalid` for a function that is guarded elsewhere than where the catalog's
 *   audience is reached: a proof for one place is made for no other.
 */
export function invoking<R>(guarded: GuardedFunction<string, R>, wanted: WantedCall, setup: InvokeSetup): Present<R> {
  const { places, proofs, clock, idempotencyKey } = setup
  const { action, audience, resource, parameters } = wanted
  const base = places.find(({ api }) => api.audience === audience)?.baseUrl
  const url = `${base}/.well-known/hallpass/local/${encodeURIComponent(action.name)}`
  if (action.path !== undefined || guarded.audience !== audience || guarded.url !== url) {
    throw new HallpassError('configuration-invalid', `The function given for "${action.name}" is not guarded at ${url}`)
  }
  const body = JSON.stringify({ resource, parameters })
  return async (held) => {
    const { proof } = await proofs()
    const credential = held.credential(clock.steady())
    if (credential === undefined) return { ok: false, refusal: refusal('token-expired'), isTokenGone: true }
    const { token, ath } = credential
    const made = await proof({ method: 'POST', url, now: clock.wall(), ath, body })
    const answer = await guarded.call({ authorization: `DPoP ${token}`, proof: made, body, idempotencyKey })
    if (answer.ok) return { ok: true, value: answer.value }
    const { reason, event } = answer
    return { ok: false, refusal: refusal(reason, { event }), isTokenGone: GONE.has(reason) }
  }
}
