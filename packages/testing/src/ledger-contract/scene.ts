import assert from 'node:assert/strict'
import type {
  GrantRecord,
  Ledger,
  Limit,
  RedeemAnswer,
  RedeemRequest,
  RefusalReason,
  Swept,
  TaskRecord,
} from '@hallpass/core'

/** What every ledger of the contract is created with, so that one set of times fits all. */
export const SETTINGS = { maxSkewSeconds: 5, leaseSeconds: 30 } as const

/** A ledger to be tested, and the hand on its clock. */
export interface LedgerUnderTest {
  readonly ledger: Ledger
  /** Moves the ledger's own clock ahead. */
  advance(seconds: number): void | Promise<void>
  close?(): void | Promise<void>
}

export type First = Extract<RedeemAnswer, { state: 'first' }>

export const ISSUER = 'https://broker.example'
export const JKT = 'jkt-jkt-jkt-jkt-jkt-jkt-jkt-jkt-jkt-jkt-jkt'
export const POLICY = { version: '1', digest: 'sha-256:policy' } as const
export const calls = (max: number): Limit => ({ id: 'calls', per: 'grant', max })

/** One ledger with short ways to open, register and redeem. Every id is new, every default fits. */
export class Scene {
  readonly ledger: Ledger
  readonly #under: LedgerUnderTest
  #ids = 0

  constructor(under: LedgerUnderTest) {
    this.#under = under
    this.ledger = under.ledger
  }

  id(prefix: string): string {
    this.#ids += 1
    return `${prefix}_${this.#ids}`
  }

  async advance(seconds: number): Promise<void> {
    await this.#under.advance(seconds)
  }

  async taskRecord(changes: Partial<TaskRecord> = {}): Promise<TaskRecord> {
    const now = await this.ledger.now()
    return {
      txn: this.id('tsk'),
      clientId: 'support-bot',
      owner: 'team:support',
      purpose: 'support-ticket',
      jkt: JKT,
      identity: { iss: 'https://idp.example', sub: 'support-bot' },
      openedAt: now,
      deadline: Math.floor(now) + 600,
      policy: POLICY,
      incarnation: this.ledger.incarnation,
      ...changes,
    }
  }

  async openTask(changes: Partial<TaskRecord> = {}, maxOpenTasks = 4): Promise<TaskRecord> {
    const opened = await this.ledger.openTask(await this.taskRecord(changes), { maxOpenTasks })
    assert.ok(opened.ok, `the task was refused: ${opened.ok || opened.reason}`)
    return opened.value
  }

  async grantRecord(task: TaskRecord, changes: Partial<GrantRecord> = {}): Promise<GrantRecord> {
    const iat = Math.floor(await this.ledger.now())
    return {
      issuer: ISSUER,
      jti: this.id('gr'),
      txn: task.txn,
      clientId: task.clientId,
      owner: task.owner,
      audience: 'https://orders.example',
      action: 'refund.create',
      resource: 'order:123',
      iat,
      exp: iat + 60,
      jkt: JKT,
      limits: [calls(1)],
      policy: task.policy,
      status: { uri: `${ISSUER}/status/1`, idx: 7 },
      incarnation: this.ledger.incarnation,
      ...changes,
    }
  }

  async register(task: TaskRecord, changes: Partial<GrantRecord> = {}): Promise<GrantRecord> {
    const registered = await this.ledger.registerGrant(await this.grantRecord(task, changes))
    assert.ok(registered.ok, `the grant was refused: ${registered.ok || registered.reason}`)
    return registered.value
  }

  /** A task with one grant in it. */
  async grant(changes: Partial<GrantRecord> = {}): Promise<GrantRecord> {
    return this.register(await this.openTask(), changes)
  }

  async request(grant: GrantRecord, changes: Partial<RedeemRequest> = {}): Promise<RedeemRequest> {
    const now = await this.ledger.now()
    return {
      attempt: this.id('at'),
      audience: grant.audience,
      issuer: grant.issuer,
      jti: grant.jti,
      txn: grant.txn,
      clientId: grant.clientId,
      iat: grant.iat,
      exp: grant.exp,
      action: grant.action,
      resource: grant.resource,
      source: 'registered',
      limits: grant.limits,
      amounts: {},
      proof: { jkt: grant.jkt ?? JKT, jti: this.id('proof'), iat: Math.floor(now), acceptUntil: now + 60 },
      event: this.id('ev'),
      ...changes,
    }
  }

  async redeem(grant: GrantRecord, changes: Partial<RedeemRequest> = {}): Promise<RedeemAnswer> {
    return this.ledger.redeem(await this.request(grant, changes))
  }

  async first(grant: GrantRecord, changes: Partial<RedeemRequest> = {}): Promise<First> {
    const answer = await this.redeem(grant, changes)
    assert.ok(answer.ok && answer.state === 'first', `not the first use: ${JSON.stringify(answer)}`)
    return answer
  }

  async refused(grant: GrantRecord, reason: RefusalReason, changes: Partial<RedeemRequest> = {}): Promise<void> {
    assertRefused(await this.redeem(grant, changes), reason)
  }

  /** Sweeps, and has put on record what that found. */
  async sweep(): Promise<Swept> {
    const swept = await this.ledger.sweep()
    await this.ledger.acknowledge(swept.receipt)
    return swept
  }

  async usesLeft(grant: GrantRecord): Promise<number | undefined> {
    return (await this.ledger.grant(grant.jti))?.usesLeft
  }
}

export function assertRefused(answer: { readonly ok: boolean; readonly reason?: string }, reason: RefusalReason): void {
  assert.equal(answer.ok ? 'accepted' : answer.reason, reason)
}

/** One thing a ledger must do. */
export interface Case {
  readonly title: string
  readonly run: (scene: Scene) => Promise<void>
}
