import { parseArgs } from 'node:util'

export const LEDGERS = ['redis', 'postgres', 'sqlite', 'broker'] as const
export type LedgerChoice = (typeof LEDGERS)[number]

export interface SoakOptions {
  readonly seconds: number
  /** Undefined: Redis where it is installed, else SQLite. */
  readonly ledger: LedgerChoice | undefined
  /** Replicas count in their own memory and follow the revocation feed; `ledger` is the broker's. */
  readonly feed: boolean
  readonly seed: number
  readonly json: boolean
  readonly replicas: number
  readonly agents: number
  readonly workers: number
  /** Leaves the folder with everything that was written. */
  readonly keep: boolean
}

const USAGE = `npm run soak -- [--minutes 10] [--ledger ${LEDGERS.join('|')}] [--feed] [--seed n] [--json]
                [--replicas 3] [--agents 2] [--workers 4] [--keep]`

/** The options, or what to tell whoever typed them. */
export function readOptions(args: readonly string[], newSeed: () => number): SoakOptions | string {
  try {
    const text = { type: 'string' } as const
    const { values } = parseArgs({
      args: [...args],
      options: {
        minutes: text,
        ledger: text,
        feed: { type: 'boolean' },
        seed: text,
        json: { type: 'boolean' },
        replicas: text,
        agents: text,
        workers: text,
        keep: { type: 'boolean' },
      },
    })
    const minutes = Number(values.minutes ?? 10)
    if (!(minutes > 0 && minutes <= 24 * 60)) return `--minutes takes a number above 0\n${USAGE}`
    const ledger = LEDGERS.find((name) => name === values.ledger)
    if (values.ledger !== undefined && ledger === undefined) return `--ledger is ${LEDGERS.join(', ')}\n${USAGE}`
    const feed = values.feed === true
    if (feed && ledger === 'broker') return `With --feed replicas do not ask the broker\n${USAGE}`
    const seed = values.seed === undefined ? newSeed() : Number(values.seed)
    const [replicas, agents, workers] = [values.replicas ?? 3, values.agents ?? 2, values.workers ?? 4].map(Number)
    const counts = [seed, replicas, agents, workers].map(Number)
    if (counts.some((count) => !Number.isSafeInteger(count) || count < 0)) return `Counts are whole numbers\n${USAGE}`
    if (replicas === undefined || agents === undefined || workers === undefined) return USAGE
    if (replicas < 1 || agents < 1 || workers < 1) return `There is at least one of each\n${USAGE}`
    const json = values.json === true
    return { seconds: minutes * 60, ledger, feed, seed, json, replicas, agents, workers, keep: values.keep === true }
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}\n${USAGE}`
  }
}
