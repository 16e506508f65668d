import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Limit } from '../grant/entry.ts'
import type { RedeemAnswer, RevocationTarget } from './ledger.ts'
import { memoryLedger } from './memory-ledger.ts'

/**
 * The ledger against a model that keeps a list of everything that ever happened and works out each answer from it,
 * without counters, queues or forgetting.
 */
const LEASE = 30
const SKEW = 5
const AUDIENCE = 'https://orders.example'
const POLICY = { version: '1', digest: 'd' }
const ACTIONS = ['refund.create', 'order.read']
const total = (max: number): Limit => ({ id: 'total', per: 'task', max, parameter: 'amount', scale: 2 })
const calls = (max: number): Limit => ({ id: 'calls', per: 'grant', max })
const LIMITS: readonly (readonly Limit[])[] = [
  [calls(1)],
  [calls(3)],
  [calls(4), { id: 'own', per: 'grant', max: 20, parameter: 'amount', scale: 2 }],
  [total(25), calls(5), { id: 'each', per: 'task', max: 6 }],
  [calls(9), { id: 'minute', per: 'agent', max: 4, window_seconds: 60 }, total(40)],
]

const pick = fc.nat({ max: 11 })
const rarely = <T>(against: number, some: fc.Arbitrary<T>) =>
  fc.oneof({ weight: against, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: some })
const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('advance' as const), seconds: fc.constantFrom(0.5, 1, 1, 3, 10, 31) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('open' as const),
      agent: fc.nat(1),
      life: fc.constantFrom(2, 50, 200, 600),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('register' as const),
      task: pick,
      limits: fc.nat(4),
      action: fc.nat(1),
      ttl: fc.constantFrom(1, 20, 60, 200),
    }),
  },
  {
    weight: 24,
    arbitrary: fc.record({
      do: fc.constant('redeem' as const),
      grant: pick,
      amount: fc.constantFrom(0, 1, 1, 2, 7, 13, 26, -1),
      key: rarely(1, fc.nat(3)),
      digest: fc.constantFrom('a', 'a', 'a', 'b'),
      proof: rarely(7, pick),
      resend: rarely(7, pick),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('settle' as const), use: pick }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('giveBack' as const), use: pick }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('end' as const), task: pick }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('revoke' as const), kind: fc.nat(4), which: pick, dryRun: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('resume' as const), kind: fc.nat(4), which: pick }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('sweep' as const) }) },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

interface Task {
  txn: string
  agent: string
  deadline: number
  ended: 'ended' | 'revoked' | undefined
}
interface Grant {
  jti: string
  task: Task
  action: string
  limits: readonly Limit[]
  exp: number
  iat: number
  revoked: boolean
}
interface Use {
  grant: Grant
  request: Parameters<ReturnType<typeof memoryLedger>['redeem']>[0]
  reservation: string
  at: number
  end: 'settled' | 'released' | undefined
}

class Model {
  now = 1_700_000_000.5
  readonly tasks: Task[] = []
  readonly grants: Grant[] = []
  readonly uses: Use[] = []
  readonly proofs: { name: string; attempt: string; until: number }[] = []
  readonly stops: RevocationTarget[] = []

  over(task: Task): string | undefined {
    if (task.ended !== undefined) return 'task-ended'
    return this.now < task.deadline ? undefined : 'task-expired'
  }

  dead(grant: Grant): string | undefined {
    if (grant.revoked || grant.task.ended === 'revoked') return 'grant-revoked'
    return this.over(grant.task) ?? (this.now < grant.exp ? undefined : 'token-expired')
  }

  stopped(agent: string, action?: string): string | undefined {
    const stands = (matches: (target: RevocationTarget) => boolean) => this.stops.some(matches)
    if (stands(({ kind }) => kind === 'everything')) return 'stopped'
    if (stands((target) => target.kind === 'agent' && target.clientId === agent)) return 'agent-revoked'
    return stands((target) => target.kind === 'action' && target.action === action) ? 'stopped' : undefined
  }

  spent(grant: Grant, limit: Limit): number {
    const inScope = (use: Use) => {
      if (limit.per === 'grant') return use.grant === grant
      if (!use.grant.limits.some(({ id, per }) => id === limit.id && per === limit.per)) return false
      if (limit.per === 'task') return use.grant.task === grant.task
      const window = (at: number) => Math.floor(at / (limit.window_seconds ?? 1))
      return use.grant.task.agent === grant.task.agent && window(use.at) === window(this.now)
    }
    return this.uses
      .filter((use) => use.end !== 'released' && inScope(use))
      .reduce((sum, { request }) => sum + (limit.parameter === undefined ? 1 : (request.amounts['amount'] ?? 0)), 0)
  }

  lapsed(use: Use): boolean {
    return use.end === undefined && this.now >= use.at + LEASE
  }

  told(use: Use): object {
    const event = use.request.event
    if (use.end === 'settled') return { ok: true, state: 'done', event, outcome: { status: 200 } }
    return { ok: true, state: use.end === 'released' || this.lapsed(use) ? 'unknown' : 'running', event }
  }

  /** What redeem must answer; the reservation of a first use is not foretold. */
  answer(grant: Grant, request: Use['request']): object {
    const dead = this.dead(grant)
    if (dead !== undefined) return { ok: false, reason: dead }
    const same = this.uses.find((use) => use.grant === grant && use.request.attempt === request.attempt)
    if (same !== undefined) {
      return same.end === undefined && !this.lapsed(same)
        ? { ok: true, state: 'first', reservation: same.reservation }
        : this.told(same)
    }
    const proof = request.proof
    if (proof === undefined) throw new Error('Every request of the model has a proof')
    if (!(this.now < proof.acceptUntil)) return { ok: false, reason: 'proof-time' }
    const seen = this.proofs.find(({ name }) => name === proof.jti)
    if (seen !== undefined && seen.attempt !== request.attempt) return { ok: false, reason: 'proof-replayed' }
    if (seen === undefined) this.proofs.push({ name: proof.jti, attempt: request.attempt, until: proof.acceptUntil })
    const before = this.uses.find(
      (use) =>
        use.end !== 'released' &&
        use.grant.task === grant.task &&
        request.idempotency !== undefined &&
        use.request.idempotency?.key === request.idempotency.key,
    )
    if (before !== undefined) {
      const conflict = before.request.idempotency?.digest !== request.idempotency?.digest
      return conflict ? { ok: false, reason: 'idempotency-conflict' } : this.told(before)
    }
    for (const limit of grant.limits) {
      const amount = request.amounts['amount'] ?? -1
      if (limit.parameter !== undefined && !(Number.isInteger(amount) && amount >= 0))
        return { ok: false, reason: 'amount-invalid' }
      if (this.spent(grant, limit) + (limit.parameter === undefined ? 1 : amount) > limit.max) {
        return { ok: false, reason: limit.id === 'calls' ? 'grant-exhausted' : 'limit-exceeded' }
      }
    }
    return { ok: true, state: 'first' }
  }
}

const at = <T>(list: readonly T[], index: number): T | undefined => list[index % Math.max(list.length, 1)]

/** Runs the steps on both and holds every answer and every limit against the model. */
function run(steps: readonly Step[]): void {
  const model = new Model()
  const ledger = memoryLedger({
    exactFor: 'one-process',
    clock: () => model.now,
    leaseSeconds: LEASE,
    maxSkewSeconds: SKEW,
  })
  const requests: { grant: Grant; request: Use['request'] }[] = []
  const swept = { tasks: new Set<string>(), uses: new Set<string>() }
  let ids = 0
  const id = (prefix: string) => `${prefix}_${(ids += 1)}`

  const targetOf = (kind: number, which: number): RevocationTarget => {
    if (kind === 0) return { kind: 'grant', jti: at(model.grants, which)?.jti ?? 'none' }
    if (kind === 1) return { kind: 'task', txn: at(model.tasks, which)?.txn ?? 'none' }
    if (kind === 2) return { kind: 'agent', clientId: `agent-${which % 2}` }
    if (kind === 3) return { kind: 'action', audience: AUDIENCE, action: at(ACTIONS, which) ?? '' }
    return { kind: 'everything' }
  }
  const hits = (target: RevocationTarget) => ({
    tasks: model.tasks.filter(
      (task) =>
        model.over(task) === undefined &&
        (target.kind === 'everything' ||
          (target.kind === 'task' && task.txn === target.txn) ||
          (target.kind === 'agent' && task.agent === target.clientId)),
    ),
    grants: model.grants.filter(
      (grant) =>
        model.dead(grant) === undefined &&
        ((target.kind === 'grant' && grant.jti === target.jti) ||
          (target.kind === 'action' && grant.action === target.action)),
    ),
  })

  const perform: { [K in Step['do']]: (step: Extract<Step, { do: K }>) => void } = {
    advance({ seconds }) {
      model.now += seconds
    },
    open({ agent, life }) {
      const clientId = `agent-${agent}`
      const task: Task = { txn: id('tsk'), agent: clientId, deadline: Math.floor(model.now) + life, ended: undefined }
      const open = model.tasks.filter((each) => each.agent === clientId && model.over(each) === undefined).length
      const expected = model.stopped(clientId) ?? (open < 3 ? 'ok' : 'too-many-open-tasks')
      const answer = ledger.openTask(
        {
          txn: task.txn,
          clientId,
          owner: 'o',
          purpose: 'p',
          jkt: 'j',
          identity: { iss: 'i', sub: 's' },
          openedAt: model.now,
          deadline: task.deadline,
          policy: POLICY,
          incarnation: ledger.incarnation,
        },
        { maxOpenTasks: 3 },
      )
      assert.equal(answer.ok ? 'ok' : answer.reason, expected)
      if (answer.ok) model.tasks.push(task)
    },
    register({ task: index, limits, action, ttl }) {
      const task = at(model.tasks, index)
      if (task === undefined) return
      const iat = Math.floor(model.now)
      const grant: Grant = {
        jti: id('gr'),
        task,
        action: at(ACTIONS, action) ?? '',
        limits: LIMITS[limits] ?? [],
        iat,
        exp: iat + ttl,
        revoked: false,
      }
      const late = grant.exp <= model.now ? 'token-expired' : grant.exp > task.deadline ? 'lifetime-exceeded' : 'ok'
      const answer = ledger.registerGrant({
        issuer: 'iss',
        jti: grant.jti,
        txn: task.txn,
        clientId: task.agent,
        owner: 'o',
        audience: AUDIENCE,
        action: grant.action,
        resource: 'order:1',
        iat,
        exp: grant.exp,
        limits: grant.limits,
        policy: POLICY,
        status: { uri: 'u', idx: 0 },
        incarnation: ledger.incarnation,
      })
      // A task long over may be forgotten, at any time: then nobody says when it ended.
      const over = model.over(task)
      const forgotten = over !== undefined && !answer.ok && answer.reason === 'task-unknown'
      const expected = over ?? model.stopped(task.agent, grant.action) ?? late
      assert.equal(answer.ok ? 'ok' : answer.reason, forgotten ? 'task-unknown' : expected)
      if (answer.ok) model.grants.push(grant)
    },
    redeem({ grant: index, amount, key, digest, proof, resend }) {
      const fresh = at(model.grants, index)
      if (fresh === undefined) return
      const again = resend === undefined ? undefined : at(requests, resend)
      const { grant, request } = again ?? {
        grant: fresh,
        request: {
          attempt: id('at'),
          audience: AUDIENCE,
          issuer: 'iss',
          jti: fresh.jti,
          txn: fresh.task.txn,
          clientId: fresh.task.agent,
          iat: fresh.iat,
          exp: fresh.exp,
          action: fresh.action,
          resource: 'order:1',
          source: 'registered' as const,
          limits: [],
          amounts: { amount },
          event: id('ev'),
          proof: (proof === undefined ? undefined : at(requests, proof)?.request.proof) ?? {
            jkt: 'j',
            jti: id('pr'),
            iat: 0,
            acceptUntil: model.now + 60,
          },
          ...(key === undefined ? {} : { idempotency: { key: `k${key}`, digest } }),
        },
      }
      if (again === undefined) requests.push({ grant, request })
      const expected = model.answer(grant, request)
      const answer: RedeemAnswer = ledger.redeem(request)
      // What is over may be forgotten; it is refused all the same.
      if (model.dead(grant) !== undefined) assert.equal(answer.ok, false)
      else assert.deepEqual({ ...answer, ...expected }, answer)
      if (
        answer.ok &&
        answer.state === 'first' &&
        !model.uses.some(({ reservation }) => reservation === answer.reservation)
      ) {
        model.uses.push({ grant, request, reservation: answer.reservation, at: model.now, end: undefined })
        for (const limit of grant.limits) assert.ok(model.spent(grant, limit) <= limit.max)
      }
    },
    settle({ use: index }) {
      const use = at(model.uses, index)
      if (use === undefined) return
      ledger.settle(use.reservation, { status: 200 })
      if (use.end === undefined && !model.lapsed(use)) use.end = 'settled'
    },
    giveBack({ use: index }) {
      const use = at(model.uses, index)
      if (use === undefined) return
      const can = use.end === undefined && !model.lapsed(use) && model.dead(use.grant) === undefined
      assert.equal(ledger.giveBack(use.reservation, 'test'), can)
      if (can) use.end = 'released'
    },
    end({ task: index }) {
      const task = at(model.tasks, index)
      if (task === undefined) return
      const open = model.over(task) === undefined
      assert.equal(ledger.endTask(task.txn, 'completed') !== undefined, open)
      if (open) task.ended = 'ended'
    },
    revoke({ kind, which, dryRun }) {
      const target = targetOf(kind, which)
      const { tasks, grants } = hits(target)
      const dying = model.grants.filter(
        (grant) => model.dead(grant) === undefined && (grants.includes(grant) || tasks.includes(grant.task)),
      )
      const effect = ledger.revoke(target, 'test', { dryRun })
      assert.deepEqual(effect.tasks.toSorted(), tasks.map(({ txn }) => txn).toSorted())
      assert.deepEqual(effect.grants.map(({ jti }) => jti).toSorted(), dying.map(({ jti }) => jti).toSorted())
      if (dryRun) return
      for (const task of tasks) task.ended = 'revoked'
      for (const grant of grants) grant.revoked = true
      if (kind > 1) model.stops.push(target)
    },
    resume({ kind, which }) {
      const target = targetOf(kind, which)
      const left = model.stops.filter((stop) => JSON.stringify(stop) !== JSON.stringify(target))
      assert.equal(ledger.resume(target, 'test'), left.length < model.stops.length)
      model.stops.splice(0, model.stops.length, ...left)
    },
    sweep() {
      const { tasks, unknownUses, receipt } = ledger.sweep()
      ledger.acknowledge(receipt)
      for (const { txn } of tasks) assert.equal(swept.tasks.has(txn), false)
      for (const { event } of unknownUses) assert.equal(swept.uses.has(event), false)
      tasks.forEach(({ txn }) => swept.tasks.add(txn))
      unknownUses.forEach(({ event }) => swept.uses.add(event))
      assert.deepEqual(
        [...swept.tasks].toSorted(),
        model.tasks
          .filter((task) => model.over(task) === 'task-expired')
          .map(({ txn }) => txn)
          .toSorted(),
      )
      assert.deepEqual(
        [...swept.uses].toSorted(),
        model.uses
          .filter((use) => model.lapsed(use))
          .map(({ request }) => request.event)
          .toSorted(),
      )
    },
  }

  for (const each of steps) {
    ;(perform[each.do] as (step: Step) => void)(each)
    for (const grant of model.grants) {
      const cap = grant.limits.find(({ id: name }) => name === 'calls')
      const left = ledger.grant(grant.jti)?.usesLeft ?? (cap?.max ?? 0) - model.spent(grant, cap ?? calls(0))
      assert.equal(left, (cap?.max ?? 0) - model.spent(grant, cap ?? calls(0)))
    }
  }
}

describe('memoryLedger() as a whole', () => {
  test('answers every sequence of steps as a list of all that happened would', () => {
    const sequences = fc.array(step, { minLength: 40, maxLength: 150, size: 'max' })
    const outcome = fc.check(fc.property(sequences, run), { numRuns: 250 })
    expect(fc.defaultReportMessage(outcome)).toBeUndefined()
  })
})
