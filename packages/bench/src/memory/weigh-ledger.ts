import { must } from '../suite/must.ts'
import { now } from '../world/bench-ledger.ts'
import { fillLedger, there } from './fill-ledger.ts'
import type { FilledLedger, OpenedTask, RegisteredGrant } from './fill-ledger.ts'
import { mustRefuseWhenFull } from './full-ledgers.ts'
import { held } from './held.ts'
import type { Weight } from './weight.ts'

const GRANTS_PER_TASK = 10
/** Marks that come with one grant, which is over a second later: they outlive it by a minute. */
const MARKS_PER_GRANT = 100_000

type Kind = 'tasks' | 'grants' | 'uses' | 'proofs'

const sizeOf = ({ ledger }: FilledLedger, kind: Kind): number => Number(ledger.sizes()[kind])

function useUp(filled: FilledLedger, grant: RegisteredGrant): void {
  const answer = filled.redeem(grant)
  must(answer.ok && answer.state === 'first', 'an honest use is permitted')
  filled.ledger.settle(answer.reservation, { status: 200 })
}

/** Replay marks alone: the uses they came with, and their grants, are over and forgotten. */
export async function weighProofs(counts: readonly number[]): Promise<Weight> {
  mustRefuseWhenFull.proofs()
  const filled = fillLedger()
  const task = there(filled.openTask())
  return weighing(filled, 'proofs', {
    counts,
    add() {
      const grant = there(filled.register(task, 1))
      for (let each = 0; each < MARKS_PER_GRANT; each += 1) useUp(filled, grant)
      filled.now += 2
      // On record, as a broker would say: until then what ran out is kept.
      now(filled.ledger.acknowledge(now(filled.ledger.sweep()).receipt))
      must(sizeOf(filled, 'uses') === 0, 'marks outlive the uses they came with')
    },
  })
}

export async function weighTasks(counts: readonly number[]): Promise<Weight> {
  mustRefuseWhenFull.tasks()
  const filled = fillLedger()
  return weighing(filled, 'tasks', { counts, add: () => void there(filled.openTask()) })
}

/** Registered grants. Their tasks, one for ten of them, are there before and weighed by themselves. */
export async function weighGrants(counts: readonly number[]): Promise<Weight> {
  mustRefuseWhenFull.grants()
  const filled = fillLedger()
  const tasks = openTasks(filled, Math.max(...counts) / GRANTS_PER_TASK)
  let next = 0
  return weighing(filled, 'grants', {
    counts,
    add: () => void there(filled.register(there(tasks[Math.floor(next++ / GRANTS_PER_TASK)]))),
  })
}

/** Uses of living grants, settled, each with its replay mark: what a call leaves behind until its grant expires. */
export async function weighUses(counts: readonly number[]): Promise<Weight> {
  mustRefuseWhenFull.uses()
  const filled = fillLedger()
  const most = Math.max(...counts)
  const tasks = openTasks(filled, most / GRANTS_PER_TASK)
  const grants = tasks.flatMap((task) => Array.from({ length: GRANTS_PER_TASK }, () => there(filled.register(task))))
  let next = 0
  return weighing(filled, 'uses', { counts, add: () => useUp(filled, there(grants[next++])) })
}

const openTasks = (filled: FilledLedger, count: number): readonly OpenedTask[] =>
  Array.from({ length: count }, () => there(filled.openTask()))

async function weighing(
  filled: FilledLedger,
  kind: Kind,
  { counts, add }: { readonly counts: readonly number[]; readonly add: () => void },
): Promise<Weight> {
  const before = await held()
  const steps = []
  for (const count of counts) {
    while (sizeOf(filled, kind) < count) add()
    must(sizeOf(filled, kind) === count, `the ledger holds ${count} ${kind}`)
    steps.push({ count, bytes: (await held()) - before })
  }
  return { steps }
}
