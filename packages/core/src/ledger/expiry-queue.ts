/** Something with an end. The queue writes both members. */
export interface Expiring {
  due: number
  /** Place in the queue; -1 outside of it. */
  slot: number
}

/** Binary heap by `due`. An item is in it once; scheduling it again moves it. */
export class ExpiryQueue<T extends Expiring> {
  readonly #heap: T[] = []

  get size(): number {
    return this.#heap.length
  }

  /** When the next item is due; infinity when there is none. */
  nextDue(): number {
    return this.#heap[0]?.due ?? Number.POSITIVE_INFINITY
  }

  schedule(item: T, due: number): void {
    item.due = due
    if (item.slot < 0) {
      item.slot = this.#heap.length
      this.#heap.push(item)
    }
    this.#rise(item)
    this.#sink(item)
  }

  /** Takes out one item whose time has come. */
  takeDue(now: number): T | undefined {
    const first = this.#heap[0]
    if (first === undefined || now < first.due) return undefined
    const last = this.#heap.pop()
    first.slot = -1
    if (last !== undefined && last !== first) {
      this.#put(last, 0)
      this.#sink(last)
    }
    return first
  }

  #put(item: T, slot: number): void {
    this.#heap[slot] = item
    item.slot = slot
  }

  #rise(item: T): void {
    let slot = item.slot
    while (slot > 0) {
      const above = this.#heap[(slot - 1) >> 1]
      if (above === undefined || above.due <= item.due) break
      const next = above.slot
      this.#put(above, slot)
      slot = next
    }
    this.#put(item, slot)
  }

  #sink(item: T): void {
    let slot = item.slot
    for (;;) {
      const left = this.#heap[2 * slot + 1]
      if (left === undefined) break
      const right = this.#heap[2 * slot + 2]
      const smaller = right !== undefined && right.due < left.due ? right : left
      if (item.due <= smaller.due) break
      const next = smaller.slot
      this.#put(smaller, slot)
      slot = next
    }
    this.#put(item, slot)
  }
}
