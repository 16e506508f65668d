import { randomUUID } from 'node:crypto'
import type { ProofMaker } from '@hallpass/client'
import { sha256Base64url } from '@hallpass/core'
import type { Random } from '../chaos/random.ts'
import { LIMITS } from '../world/orders.ts'
import type { GrantRecord } from '../world/records.ts'
import type { HeldGrant } from './broker-wire.ts'
import { parametersOf } from './broker-wire.ts'

const IN_FLIGHT = 64
/** Longer than a verifier waits for its ledger and its trail: what has no answer by then has none to come. */
const PATIENCE_MS = 20_000

export interface VolleySetup {
  /** Ports of who guards it. */
  readonly replicas: readonly number[]
  readonly proofs: ProofMaker
  readonly random: Random
}

type Tally = Pick<GrantRecord, 'requests' | 'succeeded' | 'events' | 'unclear' | 'refused'>

/**
 * Uses one grant much more often than it may be used, many requests at a time, over all replicas. A third of the requests
 * repeats an idempotency key, and what was not answered is sent again under its own.
 */
export async function volley(setup: VolleySetup, grant: HeldGrant, requests: number): Promise<Tally> {
  const { replicas, proofs, random } = setup
  const path = `/orders/123/${LIMITS[grant.action].path}`
  const [url, ath] = [grant.api.api.audience + path, sha256Base64url(grant.token)]
  const events = new Set<string>()
  const refused: Record<string, number> = {}
  const keys: { readonly key: string; readonly n: number }[] = []
  let [sent, succeeded, unclear] = [0, 0, 0]

  async function send({ key, n }: { readonly key: string; readonly n: number }): Promise<boolean> {
    sent += 1
    const body = JSON.stringify(parametersOf(grant.action, n))
    try {
      const headers = {
        'content-type': 'application/json',
        'idempotency-key': `"${key}"`,
        authorization: `DPoP ${grant.token}`,
        dpop: await proofs.proof({ method: 'POST', url, now: Date.now() / 1000, ath, body }),
      }
      const to = `http://127.0.0.1:${random.pick(replicas) ?? 0}${path}`
      const signal = AbortSignal.timeout(PATIENCE_MS)
      const response = await fetch(to, { method: 'POST', headers, body, signal })
      const answer = (await response.json()) as { readonly event?: string; readonly type?: string }
      if (response.status === 200) {
        succeeded += 1
        events.add(answer.event ?? 'none')
        return true
      }
      if (response.status >= 500) unclear += 1
      const why = `${response.status} ${answer.type?.split(':').at(-1) ?? ''}`
      refused[why] = (refused[why] ?? 0) + 1
      return response.status !== 503
    } catch {
      unclear += 1
      return false
    }
  }

  let n = 0
  const caller = async (): Promise<void> => {
    while (n < requests) {
      n += 1
      const call = (random.chance(0.33) ? random.pick(keys) : undefined) ?? { key: randomUUID(), n }
      keys.push(call)
      if (!(await send(call))) await send(call)
    }
  }
  await Promise.all(Array.from({ length: Math.min(IN_FLIGHT, requests) }, caller))
  return { requests: sent, succeeded, events: [...events], unclear, refused }
}
