import { createVerifier } from '@hallpass/verifier'
import { feed } from '@hallpass/verifier/feed'
import { admittingLedger } from '../feed/admitting-ledger.ts'
import { apiIdentity } from '../feed/api-identity.ts'
import { bigFeed, listOf } from '../feed/big-feed.ts'
import { overPostgres, overRedis, type OpenFeedStore } from '../feed/feed-store.ts'
import { delayRow, measureDelays, type DelayRow } from '../feed/measure-delay.ts'
import { held } from '../memory/held.ts'
import { figure } from '../row/figure.ts'
import type { Row } from '../row/row.ts'
import type { RowAim } from '../row/row-aim.ts'
import { bearerCall, RESOURCE } from '../world/agent-call.ts'
import { openBenchTrail } from '../world/bench-trail.ts'
import { createEs256Key, segment } from '../world/es256-key.ts'
import { createBenchIssuer } from '../world/grant.ts'
import { ordersApi } from '../world/orders-api.ts'
import { must } from './must.ts'
import type { Suite } from './suite.ts'

const MEMORY = 'revocation.memory'
const GRANTS = 10_000_000
const ONE_DEAD_IN = 100

const memory: RowAim = {
  id: MEMORY,
  aim: 2,
  better: 'lower',
  measure: 'wall',
  baseline: 'bit',
  work: 'what the process holds more, per living grant, once its verifier knows which of 10 million are dead',
}

/** A verifier that knows which of so many grants are dead. */
async function openKnowing(grants: number) {
  const issuer = createBenchIssuer()
  const trail = openBenchTrail()
  const listening = feed({ identity: apiIdentity(createEs256Key().privateJwk), maxStalenessSeconds: 600 })
  const verifier = createVerifier({
    api: ordersApi,
    issuer: bigFeed(issuer, { grants, step: ONE_DEAD_IN }),
    ledger: admittingLedger,
    audit: trail,
    revocation: listening,
    acceptUnboundGrantsThatAnyHolderCanUse: true,
  })
  await listening.ready()
  return {
    async ask(index: number): Promise<string> {
      const { claims } = issuer.grant({ txn: 'tsk_1', action: 'order.read', resource: RESOURCE, calls: 1 })
      const placed = { ...claims, status: { status_list: listOf(index) } }
      const token = issuer.key.sign(segment({ alg: 'ES256', typ: 'at+jwt', kid: 'bench-1' }), placed)
      const verdict = await verifier.verify('order.read', bearerCall(token))
      return verdict.kind === 'refused' ? verdict.reason : verdict.kind
    },
    status: () => listening.status(),
    async close() {
      listening.close()
      await trail.close()
    },
  }
}

async function measureMemory(): Promise<Row> {
  // Code and connections of one verifier are there in any case.
  const small = await openKnowing(GRANTS / 4)
  await small.ask(1)
  const before = { held: await held(), rss: process.memoryUsage().rss }
  const knowing = await openKnowing(GRANTS)
  try {
    for (const index of [0, ONE_DEAD_IN, 7_654_300, GRANTS - ONE_DEAD_IN]) {
      must((await knowing.ask(index)) === 'grant-revoked', `the dead grant ${index} is refused`)
      must((await knowing.ask(index + 1)) === 'admitted', `the living grant ${index + 1} is admitted`)
    }
    const bits = (((await held()) - before.held) * 8) / GRANTS
    const { lists, bytes } = knowing.status()
    const residentBits = ((process.memoryUsage().rss - before.rss) * 8) / GRANTS
    const detail = { lists, countedBits: (bytes * 8) / GRANTS, residentBits, dead: GRANTS / ONE_DEAD_IN }
    return figure(memory, bits, { best: bits, max: bits, rounds: 1, microseconds: 0, detail })
  } finally {
    await Promise.all([small.close(), knowing.close()])
  }
}

const delays: readonly DelayRow[] = [
  delayRow('revocation.feed.1', 1),
  delayRow('revocation.feed.10', 10),
  delayRow('revocation.feed', 100, { aim: 50 }),
]

export const revocation: Suite = {
  rows: [...delays.map(({ aim }) => aim), memory],
  async measure(chosen, pace) {
    const measured = await measureDelays(delays, chosen, pace)
    return chosen.has(MEMORY) ? [...measured, await measureMemory()] : measured
  },
  open: async () => ({ entries: [] }),
}

/** The same where one broker revokes, another one is followed, and the news goes through a store. */
const through = (name: string, by: string, open: OpenFeedStore): Suite => {
  const own = [1, 10, 100].map((verifiers) => delayRow(`revocation.feed.${name}.${verifiers}`, verifiers, { by, open }))
  return {
    rows: own.map(({ aim }) => aim),
    measure: (chosen, pace) => measureDelays(own, chosen, pace),
    open: async () => ({ entries: [] }),
  }
}

export const revocationRedis = through('redis', 'Redis pub/sub', overRedis)
export const revocationPostgres = through('postgres', 'PostgreSQL LISTEN/NOTIFY', overPostgres)
