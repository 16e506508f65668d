import type { UseLedger } from '@hallpass/core'
import { memoryTrail } from '@hallpass/core'
import { expect, test } from 'vitest'
import { createLiveLedger } from '../test/live-ledger.ts'
import { orders } from '../test/test-api.ts'
import { AUDIENCE, createTestIssuer } from '../test/test-issuer.ts'
import { createVerifier, protect } from './index.ts'

/** Answers later than it decided, as a ledger over a network does. */
const later = <T>(value: T): Promise<T> => new Promise((resolve) => setImmediate(() => resolve(value)))

test.each([
  { uses: 1, network: false },
  { uses: 7, network: false },
  { uses: 100, network: false },
  { uses: 7, network: true },
  { uses: 7, network: false, signatureChecks: 'thread-pool' },
  { uses: 7, network: true, signatureChecks: 'thread-pool' },
] as const)(
  '1000 parallel requests run the handler exactly $uses times (ledger over a network: $network, signatures: $signatureChecks)',
  async ({ uses, network, ...more }) => {
    const issuer = createTestIssuer()
    const live = createLiveLedger()
    const { ledger, clock } = live
    const distant: UseLedger = {
      ...ledger,
      redeem: async (request) => later(await ledger.redeem(request)),
      settle: async (reservation, outcome) => later(await ledger.settle(reservation, outcome)),
    }
    const verifier = createVerifier({
      api: orders,
      issuer,
      ledger: network ? distant : ledger,
      audit: memoryTrail(),
      clock,
      ...more,
    })
    let runs = 0
    const handler = protect(verifier, 'order.read', async () => {
      runs += 1
      await later(undefined)
      return new Response(null, { status: 204 })
    })
    const token = issuer.grant({ action: 'order.read', limits: [{ id: 'calls', per: 'grant', max: uses }] })
    await live.register(token)
    const requests = Array.from({ length: 1000 }, () => {
      const headers = { authorization: `DPoP ${token}`, dpop: issuer.proof({ token }) }
      return new Request(`${AUDIENCE}/orders/123`, { headers })
    })
    const statuses = await Promise.all(requests.map(async (request) => (await handler(request)).status))
    const passed = statuses.filter((status) => status === 204).length
    expect({ runs, passed, refused: statuses.filter((status) => status === 401).length }).toEqual({
      runs: uses,
      passed: uses,
      refused: 1000 - uses,
    })
  },
)
