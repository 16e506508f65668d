import { take } from './must.ts'
import { weighApart } from '../memory/weigh-apart.ts'
import type { Weighed } from '../memory/weigh.ts'
import { figure } from '../row/figure.ts'
import type { Row } from '../row/row.ts'
import type { RowAim } from '../row/row-aim.ts'
import type { Suite } from './suite.ts'

interface Kind {
  readonly row: RowAim
  readonly what: Weighed
  /** How many are weighed, the last of them in the row. */
  readonly full: readonly number[]
  readonly quick: readonly number[]
  /** The bound that keeps it from growing: an option of the ledger or the verifier, and its default. */
  readonly bound: Readonly<Record<string, number>>
}

const kind = (id: string, work: string, rest: Omit<Kind, 'row'>): Kind => ({
  row: { id, aim: null, better: 'lower', measure: 'wall', baseline: 'byte', work },
  ...rest,
})

/** The most that `maxGrants` can be: ten million are one ledger's no more. */
const MOST = 2 ** 23

const kinds: readonly Kind[] = [
  kind('memory.proof', 'a replay mark in the memory ledger, among a million', {
    what: 'proofs',
    full: [2_000_000, 1_000_000],
    quick: [100_000],
    bound: { maxProofs: 2_000_000 },
  }),
  kind('memory.grant', 'a registered grant in the memory ledger, its task not counted', {
    what: 'grants',
    full: [500_000, 1_000_000, 2_000_000],
    quick: [100_000, 200_000],
    bound: { maxGrants: 1_000_000, highestMaxGrants: MOST },
  }),
  kind('memory.task', 'an open task in the memory ledger', {
    what: 'tasks',
    full: [50_000, 100_000],
    quick: [50_000],
    bound: { maxTasks: 100_000 },
  }),
  kind('memory.use', 'a settled use of a living grant and its replay mark', {
    what: 'uses',
    full: [500_000, 1_000_000],
    quick: [100_000],
    bound: { maxUses: 1_000_000 },
  }),
  kind('memory.token', 'a token that the verifier has found genuine, all of its claims', {
    what: 'tokens',
    full: [1000, 10_000],
    quick: [1000],
    bound: { cacheEntries: 10_000 },
  }),
  kind('memory.key', "a holder's imported key; `residentBytes` is all of it", {
    what: 'keys',
    full: [1000, 10_000],
    quick: [1000],
    bound: { cacheEntries: 10_000 },
  }),
  kind('memory.keyset', "one more key in the issuer's key set", {
    what: 'keySet',
    full: [1],
    quick: [1],
    bound: {},
  }),
]

async function weighed({ row, what, bound }: Kind, counts: readonly number[]): Promise<Row> {
  const ascending = counts.toSorted((a, b) => a - b)
  const { steps, detail } = await weighApart({ what, counts: ascending })
  const each = new Map(steps.map(({ count, bytes }) => [count, bytes / count]))
  const told = take(
    counts.map((count) => each.get(count) ?? Number.NaN),
    counts.length - 1,
  )
  const all = [...each.values()]
  const bytesAt = Object.fromEntries([...each].map(([count, bytes]) => [`bytesEachOf${count}`, bytes]))
  return figure(row, what === 'keySet' ? take(all, 0) : told, {
    best: Math.min(...all),
    max: Math.max(...all),
    rounds: steps.length,
    microseconds: 0,
    detail: { ...bound, ...bytesAt, ...detail },
  })
}

/** What one piece of state takes, and the bound on how many there are. */
export const memory: Suite = {
  rows: kinds.map(({ row }) => row),
  onlyWhenNamed: true,
  async measure(chosen, pace) {
    const rows: Row[] = []
    for (const each of kinds) if (chosen.has(each.row.id)) rows.push(await weighed(each, each[pace]))
    return rows
  },
  open: async () => ({ entries: [] }),
}
