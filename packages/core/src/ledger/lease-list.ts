import type { Use } from './use.ts'

/** Running uses in the order in which their leases end, which is the order in which they began. */
export class LeaseList {
  #head: Use | undefined = undefined
  #tail: Use | undefined = undefined

  add(use: Use): void {
    if (this.#tail === undefined) this.#head = use
    else this.#tail.next = use
    this.#tail = use
  }

  /** Takes out the oldest when it no longer runs or its lease is over. */
  takeOver(now: number): Use | undefined {
    const use = this.#head
    if (use === undefined || (use.state === 'running' && now < use.leaseEnd)) return undefined
    this.#head = use.next
    if (this.#head === undefined) this.#tail = undefined
    // A use is remembered for long; it must not keep alive all that came after it.
    use.next = undefined
    return use
  }
}
