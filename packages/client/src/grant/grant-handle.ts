import type { Grant } from './grant.ts'
import type { GrantView, HeldGrant } from './held-grant.ts'

const holders = new WeakMap<Grant, HeldGrant>()

/** What a grant of this client stands for; nothing for an object that only looks like one. */
export const heldBehind = (grant: Grant): HeldGrant | undefined => holders.get(grant)

/** The public face of a held grant: live values, and nothing of the token for whatever prints, clones or serialises it. */
export class GrantHandle implements Grant {
  readonly #held: HeldGrant
  readonly fetch: Grant['fetch']

  constructor(held: HeldGrant, fetch: Grant['fetch']) {
    this.#held = held
    this.fetch = fetch
    holders.set(this, held)
  }

  get task(): string {
    return this.#held.txn
  }
  get audience(): string {
    return this.#held.audience
  }
  get action(): string {
    return this.#held.action
  }
  get resource(): string {
    return this.#held.entry.identifier
  }
  get expiresAt(): number {
    return this.#held.view().expiresAt
  }
  get callsLeft(): number {
    return this.#held.callsLeft()
  }

  toJSON(): GrantView {
    return this.#held.view()
  }

  toString(): string {
    return `Grant(${this.action} on ${this.resource})`
  }

  /** What Node prints. */
  [Symbol.for('nodejs.util.inspect.custom')](): GrantView {
    return this.toJSON()
  }
}
