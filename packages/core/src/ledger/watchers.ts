/** Who waits for lines on the log of revocations; of this process. */
export class Watchers {
  readonly #watchers = new Set<() => void>()

  watch(wake: () => void): () => void {
    // One watcher twice is two watches.
    const watcher = () => wake()
    this.#watchers.add(watcher)
    return () => void this.#watchers.delete(watcher)
  }

  wake(): void {
    for (const wake of this.#watchers) {
      try {
        wake()
      } catch {
        // What is on the log is on the log, whatever becomes of those who wait for it.
      }
    }
  }
}
