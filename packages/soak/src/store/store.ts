/** Which ledger a process opens, as it is told by the run. */
export type Place =
  | { readonly kind: 'redis'; readonly port: number }
  | { readonly kind: 'postgres'; readonly port: number }
  | { readonly kind: 'sqlite'; readonly path: string }

export type StoreKind = Place['kind']

/** The store behind the ledgers, started for one run. */
export interface Store {
  /** With its version. */
  readonly name: string
  /** Where the processes find it, through what may cut them off. */
  readonly place: Place
  /** Where the run itself looks, past every fault. */
  readonly own: Place
  /** Answers nobody for so long. */
  pause(ms: number): Promise<void>
  /** Cuts connections to it; absent where there are none. */
  cut?(): number
  stop(): Promise<void>
}
