import type { AuditEvent } from '@hallpass/core'

/** What a trigger points at when it fires, for the trail. */
export interface Evidence {
  readonly event: string
  readonly at: number
  readonly jti?: string
  readonly aud?: string
  /** From a verifier, whose word on whose grant it was is checked before anything is done. */
  readonly isReported: boolean
}

export const evidenceOf = ({ id, jti, aud, source }: AuditEvent, at: number): Evidence => ({
  event: id,
  at,
  ...(jti === undefined ? {} : { jti }),
  ...(aud === undefined ? {} : { aud }),
  isReported: source.startsWith('verifier:'),
})

/** The last so many events of one kind, as far as they lie within the window. */
export class Window {
  readonly #count: number
  readonly #seconds: number
  #entries: Evidence[] = []

  constructor(count: number, seconds: number) {
    this.#count = count
    this.#seconds = seconds
  }

  /** Adds one, and answers with the evidence when it makes the count full; the window then starts anew. */
  add(entry: Evidence): readonly Evidence[] | undefined {
    this.#entries = this.#entries.filter(({ at }) => entry.at - at < this.#seconds)
    this.#entries.push(entry)
    if (this.#entries.length < this.#count) return undefined
    const full = this.#entries
    this.#entries = []
    return full
  }

  /** Puts back what counted on after all, because others of the same count did not. */
  restore(entries: readonly Evidence[]): void {
    this.#entries = [...entries, ...this.#entries].toSorted((a, b) => a.at - b.at)
  }

  isOver(now: number): boolean {
    const last = this.#entries.at(-1)
    return last === undefined || now - last.at >= this.#seconds
  }
}
