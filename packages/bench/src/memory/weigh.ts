import type { Weight } from './weight.ts'
import { weighGrants, weighProofs, weighTasks, weighUses } from './weigh-ledger.ts'
import { weighKeySets, weighKeys, weighTokens } from './weigh-verifier.ts'

export const weighers = {
  proofs: weighProofs,
  grants: weighGrants,
  tasks: weighTasks,
  uses: weighUses,
  tokens: weighTokens,
  keys: weighKeys,
  keySet: weighKeySets,
} satisfies Record<string, (counts: readonly number[]) => Promise<Weight>>

export type Weighed = keyof typeof weighers

/** What a process that weighs is told, and what it answers. */
export interface WeighOrder {
  readonly what: Weighed
  readonly counts: readonly number[]
}
export type WeighAnswer = { readonly weight: Weight } | { readonly problem: string }

/** Weighs one kind in a process of its own, which nothing else shares, and tells whoever started it. */
export function weigh(): void {
  process.once('disconnect', () => process.exit(1))
  process.once('message', ({ what, counts }: WeighOrder) => {
    const tell = (answer: WeighAnswer): void => void process.send?.(answer, () => process.exit(0))
    weighers[what](counts).then(
      (weight) => tell({ weight }),
      (error: unknown) => tell({ problem: error instanceof Error ? error.message : String(error) }),
    )
  })
}
