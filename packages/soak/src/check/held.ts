import type { UseRecord } from '../world/records.ts'

type Run = Extract<UseRecord, { kind: 'run' }>

/** One use, from the records of the replica that had it. */
export interface HeldUse {
  readonly event: string
  readonly jti: string
  /** When the ledger had said `first`; undefined where no record says so. */
  readonly from: number | undefined
  readonly run: Run | undefined
  /** When it was about to be given back, and whether it was; undefined = it is held for good. */
  readonly back: { readonly at: number; readonly answer: 'released' | 'unclear' } | undefined
  /** The ledger refused to take it back. */
  readonly wasKept: boolean
}

/**
 * What became of each use. A give-back that was begun and not noted is unclear: its replica was killed in the middle.
 * @param isKeptSure whether `kept` is never said of a use that an earlier sending had given back.
 */
export function heldUses(uses: readonly UseRecord[], isKeptSure: boolean): readonly HeldUse[] {
  const parts = new Map<string, { -readonly [K in keyof HeldUse]: HeldUse[K] }>()
  for (const use of uses) {
    const { event, jti } = use
    let part = parts.get(event)
    if (part === undefined)
      parts.set(event, (part = { event, jti, from: undefined, run: undefined, back: undefined, wasKept: false }))
    if (use.kind === 'granted') part.from = use.at
    if (use.kind === 'run') part.run = use
    if (use.kind === 'giving-back') part.back ??= { at: use.at, answer: 'unclear' }
    if (use.kind !== 'gave-back') continue
    const { answer } = use
    part.wasKept = answer === 'kept'
    if (answer === 'released') part.back = { at: part.back?.at ?? use.at, answer }
    if (answer === 'kept' && isKeptSure) part.back = undefined
  }
  return [...parts.values()]
}

/** The most that was surely held at one time: from the ledger's `first` to when a use was about to be given back. */
export function mostHeld(uses: readonly HeldUse[], weigh: (use: HeldUse) => number): number {
  const steps = uses.flatMap((use) => {
    const weight = weigh(use)
    const start = { at: use.from ?? use.run?.at ?? Infinity, change: weight }
    return use.back === undefined ? [start] : [start, { at: use.back.at, change: -weight }]
  })
  // What goes back goes first: within one millisecond nobody can tell.
  const inOrder = steps.toSorted((one, other) => one.at - other.at || one.change - other.change)
  let [now, most] = [0, 0]
  for (const { change } of inOrder) {
    now += change
    most = Math.max(most, now)
  }
  return most
}
