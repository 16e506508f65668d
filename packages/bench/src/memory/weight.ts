/** What so many of one kind take together, weighed as they were added. */
export interface Weight {
  readonly steps: readonly { readonly count: number; readonly bytes: number }[]
  /** What else was seen. */
  readonly detail?: Readonly<Record<string, number>>
}
