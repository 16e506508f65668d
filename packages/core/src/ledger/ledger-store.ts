import type { JsonObject } from '../json/value.ts'
import { PROOF_MAX_AGE_SECONDS } from '../token/constants.ts'
import { ExpiryQueue } from './expiry-queue.ts'
import type { FingerprintOf } from './fingerprints.ts'
import { fingerprints } from './fingerprints.ts'
import { LeaseList } from './lease-list.ts'
import { SWEEP_CLAIM_SECONDS } from './ledger.ts'
import type { TaskEnd } from './ledger.ts'
import type { LedgerBounds } from './ledger-options.ts'
import { LiveAgent } from './live-agent.ts'
import type { LiveGrant } from './live-grant.ts'
import type { LiveTask } from './live-task.ts'
import { OnceMarks } from './once-marks.ts'
import { ProofMarks } from './proof-marks.ts'
import { RunningUses } from './running-uses.ts'
import { RevocationLog } from './revocation-log.ts'
import type { SignedTask } from './signed-task.ts'
import { StandingStops } from './standing-stops.ts'
import { StatusIndexes } from './status-indexes.ts'
import type { Repeats, Use } from './use.ts'

/** An ended task is known for at least this long. Then it is unknown, which is refused as well. */
const ENDED_TASK_SECONDS = 60

/** How much one call forgets of each kind: more than it can add, so that what is over never piles up. */
const TIDY_STEPS = 4

/** What was handed out and is not said to be on record, until it is handed out again. */
interface Claimed extends Lapsed {
  readonly until: number
}

/** What ran out unseen, for the trail. */
interface Lapsed {
  readonly tasks: LiveTask[]
  readonly grants: LiveGrant[]
  readonly uses: Use[]
}

/** Everything the memory ledger knows, and the forgetting of what is over. Decides nothing. */
export class LedgerStore {
  readonly bounds: LedgerBounds
  readonly boot: number
  /** A proof good for longer than this was read with more skew than its mark would outlive. */
  readonly proofWindowSeconds: number
  /** Once a task or grant was registered, a signature alone makes no grant known. */
  registers = false
  readonly tasks = new Map<string, LiveTask>()
  readonly agents = new Map<string, LiveAgent<LiveTask>>()
  /** Registered grants by jti. */
  readonly grants = new Map<string, LiveGrant>()
  /** Signed grants and what is kept of their tasks, by issuer. */
  readonly signedGrants = new Map<string, Map<string, LiveGrant>>()
  readonly signedTasks = new Map<string, Map<string, SignedTask>>()
  readonly running = new RunningUses()
  readonly proofs: ProofMarks
  readonly attemptMark: FingerprintOf = fingerprints()
  readonly once: OnceMarks
  readonly bindings: OnceMarks
  readonly stops: StandingStops
  readonly log: RevocationLog
  readonly statusIndexes = new StatusIndexes()
  /** Uses remembered by attempt, and by idempotency key; what the kept outcomes take. */
  attempts = 0
  repeats = 0
  bodyChars = 0
  /** What ran out since somebody last asked. Counts as alive until then: the trail does not have it yet. */
  #lapsed: Lapsed = { tasks: [], grants: [], uses: [] }
  readonly #claimed = new Map<string, Claimed>()
  readonly #handedOut = { tasks: 0, grants: 0, uses: 0 }
  /** Given back, and to be told if nobody says that it is on record: by when. */
  readonly #released: { readonly use: Use; readonly due: number }[] = []
  #receipts = 0
  readonly #clock: () => number
  readonly #leases = new LeaseList()
  readonly #grantEnds = new ExpiryQueue<LiveGrant>()
  readonly #taskEnds = new ExpiryQueue<LiveTask>()
  readonly #signedTaskEnds = new ExpiryQueue<SignedTask>()

  constructor(
    bounds: LedgerBounds,
    { clock, incarnation }: { readonly clock: () => number; readonly incarnation: string },
  ) {
    const { maxProofs, maxSkewSeconds } = bounds
    this.bounds = bounds
    this.boot = clock()
    this.proofWindowSeconds = PROOF_MAX_AGE_SECONDS + 2 * maxSkewSeconds
    this.proofs = new ProofMarks(this.proofWindowSeconds + maxSkewSeconds, maxProofs)
    this.once = new OnceMarks(maxProofs, maxSkewSeconds)
    this.bindings = new OnceMarks(maxProofs, maxSkewSeconds)
    this.stops = new StandingStops(maxSkewSeconds)
    this.log = new RevocationLog({ incarnation, maxSkewSeconds })
    this.#clock = clock
  }

  /** The time of this operation. Forgets a little on the way. */
  tick(): number {
    const now = this.#clock()
    this.forget(now, TIDY_STEPS)
    return now
  }

  hasRoomForTask(): boolean {
    return this.tasks.size + this.#untold('tasks') < this.bounds.maxTasks
  }

  hasRoomForSignedTask(): boolean {
    return this.#signedTaskEnds.size < this.bounds.maxTasks
  }

  hasRoomForGrant(): boolean {
    return this.#grantEnds.size + this.#untold('grants') < this.bounds.maxGrants
  }

  hasRoomForUse(): boolean {
    const { maxUses } = this.bounds
    return this.attempts + this.#untold('uses') < maxUses && this.repeats < maxUses && this.running.size < maxUses
  }

  /** Counts as alive: the trail may not have it yet. */
  #untold(kind: keyof Lapsed): number {
    return this.#lapsed[kind].length + this.#handedOut[kind] + (kind === 'uses' ? this.#released.length : 0)
  }

  agent(clientId: string): LiveAgent<LiveTask> {
    let agent = this.agents.get(clientId)
    if (agent === undefined) this.agents.set(clientId, (agent = new LiveAgent()))
    return agent
  }

  addTask(task: LiveTask): void {
    this.tasks.set(task.record.txn, task)
    task.agent.open.add(task)
    task.agent.tasks += 1
    this.#taskEnds.schedule(task, task.record.deadline)
  }

  addGrant(grant: LiveGrant, home: Map<string, LiveGrant>): void {
    home.set(grant.facts.jti, grant)
    this.#grantEnds.schedule(grant, grant.facts.exp)
  }

  addSignedTask(task: SignedTask, home: Map<string, SignedTask>): void {
    home.set(task.txn, task)
    this.#signedTaskEnds.schedule(task, task.end)
  }

  addUse(use: Use, grant: LiveGrant): void {
    this.running.add(use)
    grant.addUse(use)
    this.attempts += 1
    this.#leases.add(use)
  }

  /** The first end stands: a task past its deadline ended there, whoever comes later. */
  endTask(task: LiveTask, how: TaskEnd, { at, reason }: { at: number; reason?: string | undefined }): void {
    task.end = reason === undefined ? { how, at } : { how, at, reason }
    task.agent.open.delete(task)
    this.#taskEnds.schedule(task, at + ENDED_TASK_SECONDS)
  }

  /** Ends a task whose deadline passed, as of its deadline. */
  expireIfOver(task: LiveTask, now: number): void {
    if (task.end !== undefined || task.isOpen(now)) return
    this.endTask(task, 'expired', { at: task.record.deadline })
    this.#lapsed.tasks.push(task)
  }

  /** A use without an outcome at the end of its lease stays charged, and nobody knows how it ended. */
  lapseIfOver(use: Use, now: number): void {
    if (use.state !== 'running' || now < use.leaseEnd) return
    use.state = 'unknown'
    this.closeUse(use)
    this.#lapsed.uses.push(use)
  }

  /** A use has its outcome, came back, or ran out: nothing more can be done with it. */
  closeUse(use: Use): void {
    this.running.delete(use)
    use.grant.endUse(use)
  }

  /** Forgets up to `steps` of each kind of what is over. */
  forget(now: number, steps: number): void {
    for (let left = steps; left > 0; left -= 1) {
      const use = this.#leases.takeOver(now)
      const grant = this.#grantEnds.takeDue(now)
      const task = this.#taskEnds.takeDue(now)
      const signedTask = this.#signedTaskEnds.takeDue(now)
      if (use !== undefined) this.lapseIfOver(use, now)
      if (grant !== undefined) this.#dropGrant(grant, now)
      if (task !== undefined) this.#expireOrDropTask(task, now)
      if (signedTask !== undefined) this.#dropSignedTask(signedTask)
      if ((use ?? grant ?? task ?? signedTask) === undefined) return
    }
  }

  /** Hands over what ran out since the last call, and what was handed over and not acknowledged in time. */
  takeLapsed(now: number): Lapsed & { readonly receipt: string } {
    const lapsed = this.#lapsed
    this.#lapsed = { tasks: [], grants: [], uses: [] }
    const later = this.#released.findIndex(({ due }) => due > now)
    // All at once: to take the first off a long array, one after the other, moves the rest each time.
    for (const { use } of this.#released.splice(0, later < 0 ? this.#released.length : later)) lapsed.uses.push(use)
    for (const [receipt, { until, tasks, grants, uses }] of this.#claimed) {
      if (until > now) continue
      this.acknowledge(receipt)
      lapsed.tasks.push(...tasks)
      lapsed.grants.push(...grants)
      lapsed.uses.push(...uses)
    }
    this.#receipts += 1
    const receipt = `${this.#receipts}`
    this.#claimed.set(receipt, { ...lapsed, until: now + SWEEP_CLAIM_SECONDS })
    this.#countHandedOut(lapsed, 1)
    return { ...lapsed, receipt }
  }

  /** What was handed over under this receipt is on record. */
  acknowledge(receipt: string): void {
    const claimed = this.#claimed.get(receipt)
    if (claimed === undefined) return
    this.#claimed.delete(receipt)
    this.#countHandedOut(claimed, -1)
  }

  #countHandedOut({ tasks, grants, uses }: Lapsed, sign: 1 | -1): void {
    this.#handedOut.tasks += sign * tasks.length
    this.#handedOut.grants += sign * grants.length
    this.#handedOut.uses += sign * uses.length
  }

  /** A use came back whose owner may not live to say so. */
  noteReleased(use: Use, now: number): void {
    this.#released.push({ use, due: now + SWEEP_CLAIM_SECONDS })
  }

  sizes(): JsonObject {
    return {
      tasks: this.tasks.size,
      agents: this.agents.size,
      grants: this.#grantEnds.size,
      uses: this.attempts,
      running: this.running.size,
      repeats: this.repeats,
      outcomeChars: this.bodyChars,
      proofs: this.proofs.size,
      marks: this.once.size,
      bindings: this.bindings.size,
      revocations: this.log.size,
      unswept: this.#untold('tasks') + this.#untold('grants') + this.#untold('uses'),
    }
  }

  /** Forgets whatever is over, however much that is. */
  forgetAll(now: number): void {
    this.forget(now, Number.POSITIVE_INFINITY)
    this.proofs.forget(now)
    this.once.forget(now, Number.POSITIVE_INFINITY)
    this.bindings.forget(now, Number.POSITIVE_INFINITY)
    this.log.forget(now)
  }

  #dropGrant(grant: LiveGrant, now: number): void {
    const { jti, issuer, exp } = grant.facts
    this.attempts -= grant.uses
    if (grant.task === undefined) {
      this.signedGrants.get(issuer)?.delete(jti)
      return
    }
    this.grants.delete(jti)
    grant.task.grants.delete(grant)
    const killed = grant.revoked !== undefined || (grant.task.end !== undefined && grant.task.end.at < exp)
    if (!killed && grant.charges.callsLeft(now) > 0) this.#lapsed.grants.push(grant)
  }

  #expireOrDropTask(task: LiveTask, now: number): void {
    if (task.end === undefined) return this.expireIfOver(task, now)
    const { txn, clientId } = task.record
    this.tasks.delete(txn)
    for (const repeats of task.repeats.values()) this.#dropRepeats(repeats)
    task.agent.tasks -= 1
    if (task.agent.idle(now)) this.agents.delete(clientId)
    return undefined
  }

  #dropSignedTask(task: SignedTask): void {
    this.signedTasks.get(task.issuer)?.delete(task.txn)
    for (const repeats of task.repeats.values()) this.#dropRepeats(repeats)
  }

  #dropRepeats(repeats: Repeats): void {
    repeats.closed = true
    this.repeats -= repeats.byKey.size
    this.bodyChars -= repeats.bodyChars
  }
}
