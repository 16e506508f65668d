import type { RevocationEffect, RevocationTarget, StandingTarget, TaskEnd } from '@hallpass/core'
import { randomId, unknownTarget } from '@hallpass/core'
import type { Shard } from '../shard/shard.ts'
import type { Shards } from '../shard/shards.ts'
import { listOf } from './answers.ts'
import { stopField } from './stop-names.ts'

/** One kill: what it does to whom it reaches, and the name by which it is finished or sent again. */
export interface Kill {
  readonly dryRun: boolean
  readonly call: string
  readonly reason: string
  readonly how: TaskEnd
}

/** Everything one kill reaches, slot by slot in small steps, so that no server stands still for it. */
class Killing {
  readonly #shards: Shards
  readonly #kill: Kill
  readonly #args: readonly string[]
  readonly #tasks = new Set<string>()
  readonly #grants = new Map<string, RevocationEffect['grants'][number]>()

  constructor(shards: Shards, kill: Kill) {
    this.#shards = shards
    this.#kill = kill
    this.#args = [kill.dryRun ? 'dry' : 'wet', kill.call, kill.reason, kill.how]
  }

  get effect(): RevocationEffect {
    return { tasks: [...this.#tasks], grants: [...this.#grants.values()] }
  }

  async grant(jti: string): Promise<void> {
    const keys = (shard: Shard) => [shard.meta, shard.key(`grant:${jti}`), shard.key('log')]
    const args = [...this.#args, jti]
    const answers = await Promise.all(this.#shards.all.map((shard) => shard.run('revokeGrant', keys(shard), args)))
    for (const answer of answers) this.#add([], listOf(answer)[1])
  }

  async task(txn: string): Promise<void> {
    const shard = this.#shards.of(txn)
    const keys = [shard.meta, shard.key(`task:${txn}`), shard.key('tasks'), shard.key(`in:${txn}`), shard.key('log')]
    const [task, grants] = listOf(await shard.run('endTask', keys, [...this.#args, txn]))
    const found = listOf(task)
    this.#add(found.length === 0 ? [] : [found], grants)
    if (found.length > 0) await this.#leavePlace(found)
  }

  /** Every task, or every grant, of which one field is what is wanted. */
  async scan(of: 'tasks' | 'grants', field: string, wanted: string): Promise<void> {
    await Promise.all(
      this.#shards.all.map(async (shard) => {
        const keys = [shard.meta, shard.key(of), shard.key('log')]
        let cursor = '0'
        do {
          const args = [...this.#args, of, cursor, field, wanted]
          const [next, tasks, grants] = listOf(await shard.run('killStep', keys, args))
          this.#add(listOf(tasks), grants)
          for (const task of listOf(tasks)) await this.#leavePlace(listOf(task))
          cursor = String(next)
        } while (cursor !== '0')
      }),
    )
  }

  #add(tasks: readonly unknown[], grants: unknown): void {
    for (const task of tasks) this.#tasks.add(String(listOf(task)[0]))
    for (const grant of listOf(grants)) {
      const [jti, txn, uri, idx] = listOf(grant).map(String)
      if (jti === undefined || txn === undefined || uri === undefined) continue
      this.#grants.set(jti, { jti, txn, status: { uri, idx: Number(idx) } })
    }
  }

  /** The task is over whether or not its place is free at once; it is free from the deadline on. */
  async #leavePlace([, agent, place]: readonly unknown[]): Promise<void> {
    if (this.#kill.dryRun) return
    const home = this.#shards.of(String(agent))
    await home.run('leavePlace', [home.meta, home.key(`open:${String(agent)}`)], [String(place)]).catch(() => undefined)
  }
}

/** Kills a task and every grant in it. Undefined when it was not open. */
export async function endTask(
  shards: Shards,
  txn: string,
  { how, reason = '' }: { readonly how: TaskEnd; readonly reason?: string | undefined },
): Promise<RevocationEffect | undefined> {
  const killing = new Killing(shards, { dryRun: false, call: randomId(''), reason, how })
  await killing.task(txn)
  return killing.effect.tasks.length === 0 ? undefined : killing.effect
}

/** Kills everything a target reaches. */
export async function kill(shards: Shards, target: RevocationTarget, by: Kill): Promise<RevocationEffect> {
  const killing = new Killing(shards, by)
  switch (target.kind) {
    case 'grant':
      await killing.grant(target.jti)
      break
    case 'task':
      await killing.task(target.txn)
      break
    case 'agent':
      // Not by its places: those are in another slot, which may have lost them.
      await killing.scan('tasks', 'agent', target.clientId)
      break
    case 'owner':
      await killing.scan('tasks', 'owner', target.owner)
      break
    case 'action':
      await killing.scan('grants', 'action', stopField(target))
      break
    case 'policy-version':
      await killing.scan('tasks', 'version', stopField(target))
      await killing.scan('grants', 'version', stopField(target))
      break
    case 'everything':
      await killing.scan('tasks', '', '')
      break
    default:
      return unknownTarget(target)
  }
  return killing.effect
}

/** What a stop and its lift say on the log, without their times. */
export const lineOf = (target: StandingTarget, reason: string): string =>
  JSON.stringify({ reason, target }).slice(1, -1)
