import type { StatusSeries } from './revocation-entry.ts'

/** How many indexes of each series are taken. */
export class StatusIndexes {
  readonly #series = new Map<string, { taken: number; until: number }>()

  get size(): number {
    return this.#series.size
  }

  /** Takes `size` indexes, and returns the first of them; with 0, how many are taken. */
  take({ name, until }: StatusSeries, size: number, now: number): number {
    // At most a handful: a series lives as long as the grants in it.
    for (const [known, { until: end }] of this.#series) if (end <= now) this.#series.delete(known)
    const series = this.#series.get(name)
    const first = series?.taken ?? 0
    if (series === undefined && size > 0) this.#series.set(name, { taken: size, until })
    if (series !== undefined) {
      series.taken += size
      series.until = Math.max(series.until, until)
    }
    return first
  }
}
