import { createVerifier } from '@hallpass/verifier'
import { feed } from '@hallpass/verifier/feed'
import { admittingLedger } from '../feed/admitting-ledger.ts'
import { apiIdentity } from '../feed/api-identity.ts'
import { bigFeed, listOf } from '../feed/big-feed.ts'
import { openFeedBroker } from '../feed/feed-broker.ts'
import { quantile } from '../feed/quantile.ts'
import { startFollowers } from '../feed/start-followers.ts'
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
const VERIFIERS: Readonly<Record<string, number>> = {
  'revocation.feed.1': 1,
  'revocation.feed.10': 10,
  'revocation.feed': 100,
}
const GRANTS = 10_000_000
const ONE_DEAD_IN = 100
const REVOCATIONS = { full: 100, quick: 20 }

const delay = (id: string, verifiers: number, aim: number | null): RowAim => ({
  id,
  aim,
  better: 'lower',
  measure: 'wall',
  baseline: 'millisecond',
  work: `revoke() to the first refusal by each of ${verifiers} verifiers that follow the feed on loopback, p99; warm token`,
})

const memory: RowAim = {
  id: MEMORY,
  aim: 2,
  better: 'lower',
  measure: 'wall',
  baseline: 'bit',
  work: 'what the process holds more, per living grant, once its verifier knows which of 10 million are dead',
}

async function measureDelay(row: RowAim, revocations: number): Promise<Row> {
  const broker = await openFeedBroker()
  try {
    const followers = await startFollowers(broker, VERIFIERS[row.id] ?? 1)
    try {
      for (let warm = 0; warm < 15; warm += 1) await followers.revoke(broker)
      const delays: number[] = []
      const [cpu, own] = [followers.cpu(), process.cpuUsage()]
      for (let count = 0; count < revocations; count += 1) {
        delays.push(...(await followers.revoke(broker)))
        // Between two of them there is time for a heartbeat, as there would be.
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      const [p50, p99, max] = [quantile(delays, 0.5), quantile(delays, 0.99), quantile(delays, 1)]
      const spent = process.cpuUsage(own)
      const brokerCpuMs = (spent.user + spent.system) / 1000 / revocations
      const verifiersCpuMs = (followers.cpu() - cpu) / revocations
      const detail = { brokerCpuMs, verifiersCpuMs, p50Ms: p50, p99Ms: p99, maxMs: max, refusals: delays.length }
      return figure(row, p99, { best: p50, max, rounds: revocations, microseconds: p50 * 1000, detail })
    } finally {
      followers.stop()
    }
  } finally {
    await broker.close()
  }
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

const rows = [
  delay('revocation.feed.1', 1, null),
  delay('revocation.feed.10', 10, null),
  delay('revocation.feed', 100, 50),
  memory,
]

export const revocation: Suite = {
  rows,
  async measure(chosen, pace) {
    const measured: Row[] = []
    for (const row of rows) {
      if (!chosen.has(row.id)) continue
      measured.push(row.id === MEMORY ? await measureMemory() : await measureDelay(row, REVOCATIONS[pace]))
    }
    return measured
  },
  open: async () => ({ entries: [] }),
}
