import { isPromise } from '@hallpass/core'
import type { Jwk } from '@hallpass/core'
import { createVerifier } from '@hallpass/verifier'
import type { IncomingCall } from '@hallpass/verifier'
import { feed } from '@hallpass/verifier/feed'
import { bearerCall } from '../world/agent-call.ts'
import { openBenchTrail } from '../world/bench-trail.ts'
import { ordersApi } from '../world/orders-api.ts'
import { admittingLedger } from './admitting-ledger.ts'
import { apiIdentity } from './api-identity.ts'

/** What a process of verifiers is told: who to follow, or which grant will die. */
export type FollowOrder =
  | {
      readonly start: Start & { readonly verifiers: number }
    }
  | { readonly watch: string }

/** Milliseconds of the machine's monotonic clock at which each verifier refused; empty = done with what was asked. */
export type FollowAnswer = readonly number[]

/** The machine's monotonic clock, the same in every process. */
export const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6

interface Watched {
  readonly call: IncomingCall
  readonly refused: (at: number) => void
}

/** Runs verifiers with feeds of their own until the process that started it is gone. */
export function follow(): void {
  let verifiers: ReturnType<typeof openVerifier>[] = []
  process.once('disconnect', () => process.exit(0))
  process.on('message', (order: FollowOrder) => {
    void obey(order).then(
      (answer) => process.send?.(answer),
      (error: unknown) => {
        process.stderr.write(`${String(error)}\n`)
        process.exit(1)
      },
    )
  })

  async function obey(order: FollowOrder): Promise<FollowAnswer> {
    if ('start' in order) {
      const { start } = order
      verifiers = Array.from({ length: start.verifiers }, () => openVerifier(start))
      await Promise.all(verifiers.map(({ ready }) => ready))
      return []
    }
    const refusals = await Promise.all(verifiers.map(async (one) => one.watch(order.watch)))
    process.send?.([])
    return Promise.all(refusals.map(({ refused }) => refused))
  }
}

interface Start {
  readonly issuer: string
  readonly apiKey: Jwk
}

function openVerifier({ issuer, apiKey }: Start) {
  let watched: Watched | undefined
  const verdictOf = async (call: IncomingCall): Promise<string> => {
    const verdict = verifier.verify('order.read', call)
    const { kind, ...rest } = isPromise(verdict) ? await verdict : verdict
    return kind === 'refused' && 'reason' in rest ? rest.reason : kind
  }
  /** A request that comes right after a message: what it is told is what every later one is told. */
  const look = async (): Promise<void> => {
    const now = watched
    if (now === undefined || (await verdictOf(now.call)) !== 'grant-revoked') return
    watched = undefined
    now.refused(monotonicMs())
  }
  const listening = feed({
    identity: apiIdentity(apiKey),
    maxStalenessSeconds: 10,
    observe: ({ kind }) => void (kind === 'message' && look()),
  })
  const verifier = createVerifier({
    api: ordersApi,
    issuer,
    ledger: admittingLedger,
    audit: openBenchTrail(),
    revocation: listening,
    acceptUnboundGrantsThatAnyHolderCanUse: true,
  })
  return {
    ready: listening.ready(),
    /** Admits the grant, and then waits for the first refusal. */
    async watch(token: string): Promise<{ readonly refused: Promise<number> }> {
      const call = bearerCall(token)
      const verdict = await verdictOf(call)
      if (verdict !== 'admitted') throw new Error(`A living grant was not admitted: ${verdict}`)
      const refused = new Promise<number>((resolve) => {
        watched = { call, refused: resolve }
      })
      return { refused }
    },
  }
}
