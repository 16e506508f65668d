import { MAX_TTL_SECONDS } from '../token/constants.ts'
import type { GrantRecord, RevocationEffect, RevocationTarget, TaskEnd } from './ledger.ts'
import type { LedgerStore } from './ledger-store.ts'
import type { LiveGrant } from './live-grant.ts'
import type { LiveTask } from './live-task.ts'
import { unknownTarget } from './target-name.ts'

/** What one revocation or end reaches. */
interface Reach {
  readonly tasks: readonly LiveTask[]
  /** Grants outside of these tasks. */
  readonly grants: readonly LiveGrant[]
}

/** Kills a task and every grant in it. Undefined when it was not open. */
export function endTask(
  store: LedgerStore,
  txn: string,
  { how, reason }: { readonly how: TaskEnd; readonly reason: string | undefined },
): RevocationEffect | undefined {
  const now = store.tick()
  const task = store.tasks.get(txn)
  if (task === undefined) return undefined
  store.expireIfOver(task, now)
  if (task.end !== undefined) return undefined
  const killed = killedBy({ tasks: [task], grants: [] }, now)
  store.endTask(task, how, { at: now, reason })
  store.log.killed(killed, { at: now, reason: reason ?? how })
  return { tasks: [txn], grants: killed.map(effectOn) }
}

/** Stops issuing for the target, then kills what it reaches. A dry run only says what that would be. */
export function revoke(
  store: LedgerStore,
  target: RevocationTarget,
  { reason, dryRun }: { readonly reason: string; readonly dryRun: boolean },
): RevocationEffect {
  const now = store.tick()
  if (!dryRun) stop(store, target, { at: now, reason })
  const reach = reachOf(store, target, now)
  const killed = killedBy(reach, now)
  const effect = { tasks: reach.tasks.map((task) => task.record.txn), grants: killed.map(effectOn) }
  if (dryRun) return effect
  for (const task of reach.tasks) store.endTask(task, 'revoked', { at: now, reason })
  for (const grant of reach.grants) grant.revoked = { at: now, reason }
  store.log.killed(killed, { at: now, reason })
  return effect
}

/** Lets a stopped target go on. False when nothing of the kind stands. */
export function resume(store: LedgerStore, target: RevocationTarget, reason: string): boolean {
  const now = store.tick()
  const lifted = store.stops.lift(target, now)
  if (lifted) store.log.lifted(target, { at: now, reason })
  return lifted
}

function stop(
  store: LedgerStore,
  target: RevocationTarget,
  { at: now, reason }: { readonly at: number; readonly reason: string },
): void {
  const { maxSkewSeconds, maxTaskSeconds } = store.bounds
  store.log.stopped(target, { at: now, reason })
  const wide = target.kind !== 'grant' && target.kind !== 'task'
  if (wide) store.stops.stop(target, now)
  // A verifier's own store may meet what is revoked only later; elsewhere it is marked, or unknown and refused.
  else if (!store.registers) {
    const life = target.kind === 'grant' ? MAX_TTL_SECONDS : maxTaskSeconds + MAX_TTL_SECONDS
    store.stops.stop(target, now, now + life + 2 * maxSkewSeconds)
  }
}

function reachOf(store: LedgerStore, target: RevocationTarget, now: number): Reach {
  const tasks = (matches: (task: LiveTask) => boolean) => [...store.tasks.values()].filter((task) => matches(task))
  const grants = (matches: (record: GrantRecord) => boolean) =>
    [...store.grants.values()].filter(({ record }) => record !== undefined && matches(record))
  switch (target.kind) {
    case 'grant':
      return alive({ tasks: [], grants: [store.grants.get(target.jti)].filter((grant) => grant !== undefined) }, now)
    case 'task':
      return alive({ tasks: [store.tasks.get(target.txn)].filter((task) => task !== undefined), grants: [] }, now)
    case 'agent':
      return alive({ tasks: [...(store.agents.get(target.clientId)?.open ?? [])], grants: [] }, now)
    case 'owner':
      return alive({ tasks: tasks(({ record }) => record.owner === target.owner), grants: [] }, now)
    case 'action':
      return alive(
        { tasks: [], grants: grants((g) => g.audience === target.audience && g.action === target.action) },
        now,
      )
    case 'policy-version':
      return alive(
        {
          tasks: tasks(({ record }) => record.policy.version === target.version),
          grants: grants(({ policy }) => policy.version === target.version),
        },
        now,
      )
    case 'everything':
      return alive({ tasks: tasks(() => true), grants: [] }, now)
    default:
      return unknownTarget(target)
  }
}

/** Leaves out what is over already, and grants that die with their task. */
function alive({ tasks, grants }: Reach, now: number): Reach {
  const open = new Set(tasks.filter((task) => task.isOpen(now)))
  const own = grants.filter((grant) => grant.lives(now) && !(grant.task !== undefined && open.has(grant.task)))
  return { tasks: [...open], grants: own }
}

function killedBy({ tasks, grants }: Reach, now: number): readonly GrantRecord[] {
  const inTasks = tasks.flatMap((task) => [...task.grants].filter((grant) => grant.lives(now)))
  return [...inTasks, ...grants].flatMap(({ record }) => record ?? [])
}

const effectOn = ({ jti, txn, status }: GrantRecord) => ({ jti, txn, status })
