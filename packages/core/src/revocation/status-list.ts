import { encodeStatusList } from './status-list-encoding.ts'

/** Tries before the next free index is taken instead: at half full, one in 2^32 allocations gets there. */
const MAX_DRAWS = 32

/** One list of 1-bit statuses. Full when half of it is taken, so that a random free index is found at once. */
export class StatusList {
  readonly uri: string
  readonly #size: number
  readonly #statuses: Uint8Array<ArrayBuffer>
  readonly #taken: Uint8Array
  #count = 0
  #encoded: Promise<string> | undefined = undefined

  constructor(uri: string, size: number) {
    this.uri = uri
    this.#size = size
    this.#statuses = new Uint8Array(size / 8)
    this.#taken = new Uint8Array(size / 8)
  }

  get isFull(): boolean {
    return this.#count * 2 >= this.#size
  }

  /** An index nobody has; random, so that it tells nothing about the order of issue. */
  take(randomInt: (below: number) => number): number {
    let idx = randomInt(this.#size)
    for (let draws = 1; draws < MAX_DRAWS && isSet(this.#taken, idx); draws += 1) idx = randomInt(this.#size)
    while (isSet(this.#taken, idx)) idx = (idx + 1) % this.#size
    set(this.#taken, idx)
    this.#count += 1
    return idx
  }

  /** False when the index was never given out. */
  invalidate(idx: number): boolean {
    // Shifts take 32 bits: a larger index would fall upon another's place.
    if (!Number.isSafeInteger(idx) || idx < 0 || idx >= this.#size || !isSet(this.#taken, idx)) return false
    if (!isSet(this.#statuses, idx)) this.#encoded = undefined
    set(this.#statuses, idx)
    return true
  }

  /** Encoded once per change. */
  encode(): Promise<string> {
    this.#encoded ??= encodeStatusList(this.#statuses)
    return this.#encoded
  }
}

const isSet = (bits: Uint8Array, idx: number): boolean => (((bits[idx >> 3] ?? 0) >> (idx & 7)) & 1) === 1

function set(bits: Uint8Array, idx: number): void {
  bits[idx >> 3] = (bits[idx >> 3] ?? 0) | (1 << (idx & 7))
}
