import type { JsonObject, Limit, ToolCallEntry } from '@hallpass/core'
import { amountsFor, covers, sha256Base64url } from '@hallpass/core'
import type { GrantAnswer, GrantAsk } from '../broker/broker.ts'

/** What travels with a request: the token and what the proof says about it. */
export interface Credential {
  readonly token: string
  readonly ath: string
}

/** What may be shown of a grant. */
export interface GrantView {
  /** Id of the task. */
  readonly task: string
  readonly audience: string
  readonly action: string
  /** What was granted: `order:123`, or a class `order:*`. */
  readonly resource: string
  /** NumericDate by this machine's clock. */
  readonly expiresAt: number
  /** Calls left as far as this client knows; the ledger decides. */
  readonly callsLeft: number
}

/** Times of a grant: `useUntil` on the steady clock, expiry less skew; `expiresAt` a NumericDate to show. */
export interface GrantTimes {
  readonly useUntil: number
  readonly expiresAt: number
}

/** A grant in this client's memory. The token is a private field: nothing that prints or copies an object reaches it. */
export class HeldGrant {
  readonly txn: string
  readonly audience: string
  readonly action: string
  readonly entry: ToolCallEntry
  #credential: Credential | undefined
  readonly #times: GrantTimes
  readonly #limits: readonly Limit[]
  readonly #spent = new Map<string, number>()
  readonly #callId: string
  #calls = 0
  #inFlight = 0

  constructor(
    { txn, callId }: { readonly txn: string; readonly callId: string },
    { token, entry }: GrantAnswer,
    times: GrantTimes,
  ) {
    this.txn = txn
    this.#callId = callId
    this.entry = entry
    this.audience = entry.locations[0]
    this.action = entry.actions[0]
    this.#credential = { token, ath: sha256Base64url(token) }
    this.#times = times
    // Counters of task and agent are shared with grants this client knows nothing of: only the ledger can tell.
    this.#limits = entry.limits.filter((limit) => limit.per === 'grant')
  }

  covers(ask: Omit<GrantAsk, 'callId'>): boolean {
    return covers(this.entry, ask).ok
  }

  /** The credential, unless the grant was dropped or is about to expire. */
  credential(now: number): Credential | undefined {
    return now < this.#times.useUntil ? this.#credential : undefined
  }

  isLive(now: number): boolean {
    return this.credential(now) !== undefined
  }

  /** Takes one use out of what is left, before it is sent. False when it does not fit; then nothing is taken. */
  take(parameters: JsonObject): boolean {
    const amounts = amountsFor(this.#limits, parameters)
    if (!amounts.ok) return false
    const costs = this.#limits.map((limit) => {
      const cost = limit.parameter === undefined ? 1 : (amounts.value[limit.parameter] ?? Infinity)
      return { id: limit.id, total: (this.#spent.get(limit.id) ?? 0) + cost, max: limit.max }
    })
    if (costs.some(({ total, max }) => total > max)) return false
    for (const { id, total } of costs) this.#spent.set(id, total)
    this.#inFlight += 1
    return true
  }

  /** The use that was taken is to be sent once more. */
  takeAgain(): void {
    this.#inFlight += 1
  }

  /** Id of the next call under this grant: a tool that runs again with the same call id makes the same calls again. */
  nextCallId(): string {
    this.#calls += 1
    return this.#calls === 1 ? this.#callId : `${this.#callId}.${this.#calls}`
  }

  /** The call that took a use is over. The use stays taken: whether the API counted it is not known here. */
  release(): void {
    this.#inFlight -= 1
  }

  /** Nothing left to take, and nobody who may have to send again. */
  isSpent(): boolean {
    return this.#inFlight === 0 && this.callsLeft() === 0
  }

  callsLeft(): number {
    const left = this.#limits
      .filter((limit) => limit.parameter === undefined)
      .map((limit) => limit.max - (this.#spent.get(limit.id) ?? 0))
    return this.#credential === undefined ? 0 : Math.min(...left, Number.MAX_SAFE_INTEGER)
  }

  /** Forgets the token. */
  drop(): void {
    this.#credential = undefined
  }

  view(): GrantView {
    const { txn, audience, action } = this
    const { expiresAt } = this.#times
    return { task: txn, audience, action, resource: this.entry.identifier, expiresAt, callsLeft: this.callsLeft() }
  }
}
