/** One promise, small enough to be shown true or false. */
export interface Requirement {
  readonly id: string
  /** The Never or rule of the design, or the clause of a standard, that it breaks down. */
  readonly source: string
  readonly behavior: string
  /** Set where a later release brings it; nothing may claim to verify it yet. */
  readonly later?: true
}
