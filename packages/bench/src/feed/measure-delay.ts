import { figure } from '../row/figure.ts'
import type { RowAim } from '../row/row-aim.ts'
import type { Row } from '../row/row.ts'
import { openFeedBroker } from './feed-broker.ts'
import { inThisProcess, type OpenFeedStore } from './feed-store.ts'
import { quantile } from './quantile.ts'
import { startFollowers } from './start-followers.ts'

const REVOCATIONS = { full: 100, quick: 20 }

/** A delay to be measured: over which store, to how many verifiers. */
export interface DelayRow {
  readonly aim: RowAim
  readonly verifiers: number
  readonly open: OpenFeedStore
}

export function delayRow(
  id: string,
  verifiers: number,
  { aim = null, by, open = inThisProcess }: { aim?: number | null; by?: string; open?: OpenFeedStore } = {},
): DelayRow {
  const where = by === undefined ? '' : ` of another broker, told by ${by}`
  return {
    aim: {
      id,
      aim,
      better: 'lower',
      measure: 'wall',
      baseline: 'millisecond',
      work: `revoke() to the first refusal by each of ${verifiers} verifiers that follow the feed${where} on loopback, p99; warm token`,
    },
    verifiers,
    open,
  }
}

export async function measureDelays(
  rows: readonly DelayRow[],
  chosen: ReadonlySet<string>,
  pace: keyof typeof REVOCATIONS,
): Promise<readonly Row[]> {
  const measured: Row[] = []
  for (const row of rows) if (chosen.has(row.aim.id)) measured.push(await measureDelay(row, REVOCATIONS[pace]))
  return measured
}

async function measureDelay({ aim, verifiers, open }: DelayRow, revocations: number): Promise<Row> {
  const broker = await openFeedBroker(open)
  try {
    const followers = await startFollowers(broker, verifiers)
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
      return figure(aim, p99, { best: p50, max, rounds: revocations, microseconds: p50 * 1000, detail })
    } finally {
      followers.stop()
    }
  } finally {
    await broker.close()
  }
}
