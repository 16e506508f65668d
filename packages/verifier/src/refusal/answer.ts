/** An HTTP answer as data; the doors write it out. */
export interface Answer {
  readonly status: number
  /** Lower-case names, one value each. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}
