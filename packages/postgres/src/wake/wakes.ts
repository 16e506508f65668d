import { Watchers, randomId } from '@hallpass/core'
import type { Listen } from './listen.ts'

export interface WakesOptions {
  readonly channel: string
  /** Undefined where this process only looks by itself. */
  readonly listen: Listen | undefined
  /** Sends a notification. What it rejects with is dropped. */
  readonly notify: (channel: string, payload: string) => Promise<unknown>
}

/**
 * Wakes who waits for lines on the log of revocations: here at once, in other processes by NOTIFY.
 *
 * It is sent after the commit of what it tells of, and not in it: a transaction that notifies holds a lock of the whole
 * cluster until it is on the disk, so tasks would end one after the other. A process killed in between tells nobody, and
 * others find the line when they look.
 */
export class Wakes {
  readonly #watchers = new Watchers()
  readonly #options: WakesOptions
  /** So that what this process told is not heard a second time. */
  readonly #self = randomId('')
  #watching = 0
  #endListening: () => void = () => undefined
  #isTelling = false
  #again = false

  constructor(options: WakesOptions) {
    this.#options = options
  }

  /** Listens while somebody watches. */
  watch(wake: () => void): () => void {
    const { listen, channel } = this.#options
    const unwatch = this.#watchers.watch(wake)
    if (this.#watching === 0 && listen !== undefined) {
      this.#endListening = listen(channel, (payload) => {
        if (payload !== this.#self) this.#watchers.wake()
      })
    }
    this.#watching += 1
    let watches = true
    return () => {
      unwatch()
      if (!watches) return
      watches = false
      this.#watching -= 1
      if (this.#watching === 0) this.#endListening()
    }
  }

  /** One notification is under way at a time; what happens meanwhile shares the next. */
  wake(): void {
    this.#watchers.wake()
    this.#again = true
    if (!this.#isTelling) void this.#tell()
  }

  async #tell(): Promise<void> {
    const { notify, channel } = this.#options
    this.#isTelling = true
    while (this.#again) {
      this.#again = false
      try {
        await notify(channel, this.#self)
      } catch {
        // A lost wake is allowed for.
      }
    }
    this.#isTelling = false
  }
}
