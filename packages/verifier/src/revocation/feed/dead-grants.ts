import type { DeadIndexes } from '@hallpass/core'

interface DeadList {
  bits: Uint8Array
  /** NumericDate after which each grant in it has expired. */
  until: number
}

/** 512 million indexes. What does not fit is not left out: the reader has to begin again, and refuses until then. */
const MAX_BYTES = 64 * 1024 * 1024
/** A name and its bookkeeping count too. */
const LIST_BYTES = 512
const LEAST_BITS_BYTES = 64
const FORGET_EVERY_SECONDS = 10

/** Which grants are dead: one bit per index of the status lists that hold one, until all of those have expired. */
export class DeadGrants {
  readonly #lists = new Map<string, DeadList>()
  readonly #maxBytes: number
  readonly #graceSeconds: number
  #bytes = 0
  #forgotten = Number.NEGATIVE_INFINITY

  constructor({ graceSeconds, maxBytes = MAX_BYTES }: { readonly graceSeconds: number; readonly maxBytes?: number }) {
    this.#graceSeconds = graceSeconds
    this.#maxBytes = maxBytes
  }

  get bytes(): number {
    return this.#bytes
  }

  get lists(): number {
    return this.#lists.size
  }

  has(uri: string, idx: number): boolean {
    const list = this.#lists.get(uri)
    return list !== undefined && (((list.bits[idx >> 3] ?? 0) >> (idx & 7)) & 1) === 1
  }

  /** False when it does not fit: then nothing here may be relied on any more. */
  add({ uri, until, idx }: DeadIndexes, now: number): boolean {
    this.#forget(now)
    if (until + this.#graceSeconds <= now) return true
    let list = this.#lists.get(uri)
    if (list === undefined) {
      list = { bits: new Uint8Array(LEAST_BITS_BYTES), until }
      this.#lists.set(uri, list)
      this.#bytes += LIST_BYTES + LEAST_BITS_BYTES
    }
    list.until = Math.max(list.until, until)
    let highest = -1
    for (const index of idx) if (index > highest) highest = index
    this.#fit(list, highest >> 3)
    const { bits } = list
    for (const index of idx) bits[index >> 3] = (bits[index >> 3] ?? 0) | (1 << (index & 7))
    return this.#bytes <= this.#maxBytes
  }

  clear(): void {
    this.#lists.clear()
    this.#bytes = 0
  }

  #fit(list: DeadList, byte: number): void {
    if (byte < list.bits.length) return
    let length = list.bits.length
    while (length <= byte) length *= 2
    const bits = new Uint8Array(length)
    bits.set(list.bits)
    this.#bytes += length - list.bits.length
    list.bits = bits
  }

  #forget(now: number): void {
    if (now < this.#forgotten + FORGET_EVERY_SECONDS) return
    this.#forgotten = now
    for (const [uri, { bits, until }] of this.#lists) {
      if (now < until + this.#graceSeconds) continue
      this.#lists.delete(uri)
      this.#bytes -= LIST_BYTES + bits.length
    }
  }
}
