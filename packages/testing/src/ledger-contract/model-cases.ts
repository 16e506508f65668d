import assert from 'node:assert/strict'
import type { GrantRecord, Ledger, Limit, RedeemRequest, RevocationTarget, TaskRecord } from '@hallpass/core'
import { memoryLedger } from '@hallpass/core'
import type { Case, Scene } from './scene.ts'
import { SETTINGS, calls } from './scene.ts'

const SEEDS = 8
const STEPS = 120

/** Numbers that look random and come again with their seed. */
function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

const total: Limit = { id: 'total', per: 'task', max: 12, parameter: 'amount', scale: 2 }
const minute: Limit = { id: 'minute', per: 'agent', max: 6, window_seconds: 60 }
const limitSets: readonly (readonly Limit[])[] = [
  [calls(1)],
  [calls(3)],
  [calls(4), { id: 'more calls', per: 'grant', max: 2 }],
  [calls(5), total],
  [calls(5), minute, { ...total, id: 'own', per: 'grant', max: 7 }],
]
const targets: readonly RevocationTarget[] = [
  { kind: 'agent', clientId: 'bot-0' },
  { kind: 'owner', owner: 'team:1' },
  { kind: 'action', audience: 'https://orders.example', action: 'order.read' },
  { kind: 'policy-version', version: '2' },
]

/** Whether a task is over or forgotten depends on when somebody tidied up. */
const OVER = new Set(['task-unknown', 'task-ended', 'task-expired'])
const plain = (answer: object | undefined) => {
  if (answer === undefined) return undefined
  const { detail: _words, reservation: _secret, at: _time, ...rest } = answer as Record<string, unknown>
  return OVER.has(String(rest['reason'])) ? { ...rest, reason: 'over' } : rest
}

/** The same operations on two ledgers, and what came of them. */
class Pair {
  readonly #model: Ledger
  readonly #tested: Ledger
  readonly #scene: Scene
  readonly #below: (below: number) => number
  #now: number
  readonly tasks: TaskRecord[] = []
  readonly grants: GrantRecord[] = []
  readonly sent: RedeemRequest[] = []
  readonly reservations: (readonly [string, string])[] = []
  readonly trace: string[] = []

  constructor(scene: Scene, { now, seed }: { readonly now: number; readonly seed: number }) {
    this.#scene = scene
    this.#tested = scene.ledger
    this.#now = now
    this.#below = numbers(seed)
    this.#model = memoryLedger({ exactFor: 'one-process', clock: () => this.#now, ...SETTINGS })
  }

  #pick<T>(from: readonly T[]): T | undefined {
    return from[this.#below(from.length)]
  }

  #say(what: string): void {
    this.trace.push(`${this.trace.length}: ${what}`)
  }

  #same(model: object | undefined, tested: object | undefined): void {
    assert.deepEqual(plain(tested), plain(model), this.trace.slice(-40).join('\n'))
  }

  async #open(): Promise<void> {
    const agent = this.#below(2)
    const policy = { version: String(1 + this.#below(2)), digest: 'd' }
    const names = { clientId: `bot-${agent}`, owner: `team:${this.#below(2)}` }
    const task = await this.#scene.taskRecord({ ...names, policy, deadline: Math.floor(this.#now) + 90 })
    this.#say(`open ${task.txn} by ${task.clientId}`)
    const model = await this.#model.openTask({ ...task, incarnation: this.#model.incarnation }, { maxOpenTasks: 3 })
    const tested = await this.#tested.openTask(task, { maxOpenTasks: 3 })
    this.#same(model.ok ? { ok: true } : model, tested.ok ? { ok: true } : tested)
    if (tested.ok) this.tasks.push(task)
  }

  async #register(): Promise<void> {
    const task = this.#pick(this.tasks)
    if (task === undefined) return
    const limits = this.#pick(limitSets) ?? []
    const chargeAtIssue = { limits: [total], amounts: { amount: this.#below(4) }, uses: 1 + this.#below(3) }
    const grant = await this.#scene.grantRecord(task, {
      limits,
      action: this.#below(2) === 0 ? 'order.read' : 'refund.create',
      exp: Math.floor(this.#now) + 20 + this.#below(40),
      ...(this.#below(4) === 0 && { chargeAtIssue }),
    })
    this.#say(`register ${grant.jti} in ${grant.txn} with ${JSON.stringify(limits)}`)
    const model = await this.#model.registerGrant({ ...grant, incarnation: this.#model.incarnation })
    const tested = await this.#tested.registerGrant(grant)
    this.#same(model.ok ? { ok: true } : model, tested.ok ? { ok: true } : tested)
    if (tested.ok) this.grants.push(grant)
  }

  async #redeem(): Promise<void> {
    const grant = this.#pick(this.grants)
    if (grant === undefined) return
    const before = this.#pick(this.sent)
    const fresh = await this.#scene.request(grant, {
      amounts: { amount: this.#below(5) },
      ...(this.#below(3) === 0 && { idempotency: { key: `k${this.#below(3)}`, digest: `d${this.#below(2)}` } }),
      ...(this.#below(6) === 0 && before?.proof && { proof: before.proof }),
    })
    const request = this.#below(6) === 0 && before !== undefined ? before : fresh
    this.#say(`redeem ${JSON.stringify(request)}`)
    this.sent.push(request)
    const model = await this.#model.redeem(request)
    const tested = await this.#tested.redeem(request)
    // What is dead in several ways may be refused for any of them.
    if (request.exp <= this.#now) assert.deepEqual([model.ok, tested.ok], [false, false], this.trace.join('\n'))
    else this.#same(model, tested)
    if (model.ok && tested.ok && model.state === 'first' && tested.state === 'first') {
      this.reservations.push([model.reservation, tested.reservation])
    }
  }

  async #end(): Promise<void> {
    const [model, tested] = this.#pick(this.reservations) ?? ['res_none', 'res_none']
    if (this.#below(2) === 0) {
      this.#say(`give back ${tested}`)
      this.#same({ given: await this.#model.giveBack(model, 'x') }, { given: await this.#tested.giveBack(tested, 'x') })
    } else {
      this.#say(`settle ${tested}`)
      const outcome = { status: 200 + this.#below(5), body: 'body' }
      await this.#model.settle(model, outcome)
      await this.#tested.settle(tested, outcome)
    }
  }

  async #kill(): Promise<void> {
    const [task, grant, wide] = [this.#pick(this.tasks), this.#pick(this.grants), this.#pick(targets)]
    if (task === undefined || grant === undefined || wide === undefined) return
    const how = this.#below(5)
    const target = how === 0 ? wide : ({ kind: 'grant', jti: grant.jti } as const)
    this.#say(`kill ${how} ${task.txn} ${JSON.stringify(target)}`)
    if (how < 2) {
      const options = { dryRun: this.#below(3) === 0 }
      this.#sameEffect(await this.#model.revoke(target, 'r', options), await this.#tested.revoke(target, 'r', options))
    } else if (how === 2) {
      const effects = [
        await this.#model.endTask(task.txn, 'completed'),
        await this.#tested.endTask(task.txn, 'completed'),
      ]
      this.#sameEffect(effects[0], effects[1])
    } else {
      for (const each of targets) {
        this.#same({ up: await this.#model.resume(each, 'x') }, { up: await this.#tested.resume(each, 'x') })
      }
    }
  }

  #sameEffect(model: Awaited<ReturnType<Ledger['endTask']>>, tested: typeof model): void {
    const names = (effect: typeof model) =>
      effect && { tasks: effect.tasks.toSorted(), grants: effect.grants.map(({ jti }) => jti).toSorted() }
    this.#same(names(model), names(tested))
  }

  /** Both tidy up at once, so that both have forgotten the same. */
  async #pass(): Promise<void> {
    const seconds = 1 + this.#below(25)
    this.#say(`pass ${seconds}`)
    await this.#scene.advance(seconds)
    this.#now += seconds
    const [model, tested] = [await this.#model.sweep(), await this.#tested.sweep()]
    await this.#model.acknowledge(model.receipt)
    await this.#tested.acknowledge(tested.receipt)
    const names = ({ tasks, grants, unknownUses }: typeof model) => ({
      tasks: tasks.map(({ txn }) => txn).toSorted(),
      grants: grants.map(({ jti, usesLeft }) => `${jti} ${usesLeft}`).toSorted(),
      uses: unknownUses.map(({ event }) => event).toSorted(),
    })
    this.#same(names(model), names(tested))
  }

  async #look(): Promise<void> {
    const [task, grant] = [this.#pick(this.tasks), this.#pick(this.grants)]
    if (grant !== undefined && this.#now < grant.exp) {
      const [model, tested] = [await this.#model.grant(grant.jti), await this.#tested.grant(grant.jti)]
      this.#say(`look at ${grant.jti}`)
      const state = (of: typeof model) => of && { left: of.usesLeft, revoked: of.revoked?.reason }
      this.#same(state(model), state(tested))
    }
    if (task === undefined) return
    const [model, tested] = [await this.#model.task(task.txn), await this.#tested.task(task.txn)]
    if (model === undefined) return
    this.#say(`look at ${task.txn}`)
    const { grantsIssued, uses, spent, end } = model
    this.#same(
      { grantsIssued, uses, spent, how: end?.how },
      tested && { grantsIssued: tested.grantsIssued, uses: tested.uses, spent: tested.spent, how: tested.end?.how },
    )
  }

  async step(): Promise<void> {
    const kind = this.#below(20)
    if (kind < 2) await this.#open()
    else if (kind < 5) await this.#register()
    else if (kind < 12) await this.#redeem()
    else if (kind < 15) await this.#end()
    else if (kind < 16) await this.#kill()
    else if (kind < 17) await this.#pass()
    else await this.#look()
  }
}

/** Whatever is asked in whatever order, the answers are those of the memory ledger. The clock must stand still between. */
export const modelCases: readonly Case[] = Array.from({ length: SEEDS }, (_, seed) => ({
  title: `answers as the memory ledger does: seed ${seed}`,
  async run(scene) {
    const pair = new Pair(scene, { now: await scene.ledger.now(), seed })
    for (let step = 0; step < STEPS; step += 1) await pair.step()
    assert.ok(pair.reservations.length > 0)
  },
}))
