/**
 * The newest of so many entries, and at most half of them of one owner: whoever makes up names pushes out its own, and
 * not those of everybody else.
 */
export class FairMap<V> {
  readonly #entries = new Map<string, V>()
  readonly #counts = new Map<string, number>()
  readonly #max: number
  readonly #ownerOf: (key: string) => string

  constructor(max: number, ownerOf: (key: string) => string) {
    this.#max = max
    this.#ownerOf = ownerOf
  }

  get(key: string): V | undefined {
    return this.#entries.get(key)
  }

  /** Keeps it as the newest. */
  set(key: string, value: V): void {
    if (this.#entries.delete(key)) {
      this.#entries.set(key, value)
      return
    }
    const owner = this.#ownerOf(key)
    const count = (this.#counts.get(owner) ?? 0) + 1
    this.#counts.set(owner, count)
    this.#entries.set(key, value)
    if (count > Math.max(1, this.#max / 2)) this.#dropOldest((other) => this.#ownerOf(other) === owner)
    if (this.#entries.size > this.#max) this.#dropOldest(() => true)
  }

  delete(key: string): void {
    if (!this.#entries.delete(key)) return
    const owner = this.#ownerOf(key)
    const count = (this.#counts.get(owner) ?? 1) - 1
    if (count === 0) this.#counts.delete(owner)
    else this.#counts.set(owner, count)
  }

  #dropOldest(isMeant: (key: string) => boolean): void {
    for (const key of this.#entries.keys()) {
      if (!isMeant(key)) continue
      this.delete(key)
      return
    }
  }
}
