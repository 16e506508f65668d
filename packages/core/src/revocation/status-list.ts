import { encodeStatusList } from './status-list-encoding.ts'

/** One list of 1-bit statuses, all VALID at first. */
export class StatusList {
  readonly #statuses: Uint8Array<ArrayBuffer>
  #changes = 0
  #encoded: Promise<string> | undefined = undefined

  constructor(size: number) {
    this.#statuses = new Uint8Array(size / 8)
  }

  /** How many statuses were set: a list that did not change need not be signed again for that. */
  get changes(): number {
    return this.#changes
  }

  invalidate(idx: number): void {
    const byte = this.#statuses[idx >> 3] ?? 0
    const bit = 1 << (idx & 7)
    if ((byte & bit) !== 0) return
    this.#statuses[idx >> 3] = byte | bit
    this.#changes += 1
    this.#encoded = undefined
  }

  /** Encoded once per change. */
  encode(): Promise<string> {
    this.#encoded ??= encodeStatusList(this.#statuses)
    return this.#encoded
  }
}
