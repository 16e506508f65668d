import type { RefusalReason } from '@hallpass/core'

/** One thing a verifier did, for metrics. */
export interface Observation {
  /** `unsettled`: an outcome could not be put on record, so the use becomes `unknown` when its lease runs out. */
  readonly kind: 'admitted' | 'refused' | 'repeated' | 'passed' | 'settled' | 'unsettled'
  readonly action: string
  readonly event: string
  readonly reason?: RefusalReason
  readonly status?: number
}

/** Told about every verdict and every outcome. What it throws is dropped. */
export type Observer = (observation: Observation) => void

/** An observer that cannot fail a request: a metric is no reason to. */
export function safely(observe: Observer | undefined): Observer | undefined {
  if (observe === undefined) return undefined
  return (observation) => {
    try {
      observe(observation)
    } catch {
      // Whoever observes has to look after that.
    }
  }
}
