/** Something that must never be. */
export interface Violation {
  /** The rule that it breaks. */
  readonly rule: string
  readonly detail: string
  readonly grants: readonly string[]
  /** Ids of uses or events that show it. */
  readonly events?: readonly string[]
}
