import { feedCases } from './feed-cases.ts'
import { modelCases } from './model-cases.ts'
import { onceCases } from './once-cases.ts'
import { outboxCases } from './outbox-cases.ts'
import { raceCases } from './race-cases.ts'
import { redeemCases } from './redeem-cases.ts'
import { limitCases } from './limit-cases.ts'
import { revocationCases } from './revocation-cases.ts'
import type { LedgerUnderTest } from './scene.ts'
import { SETTINGS, Scene } from './scene.ts'
import { signedCases } from './signed-cases.ts'
import { taskCases } from './task-cases.ts'
import { useCases } from './use-cases.ts'

export interface LedgerContractOptions {
  /** The ledger, as the report names it. */
  readonly name: string
  /** A fresh, empty ledger with these settings, and a way to move its clock ahead. */
  readonly create: (settings: typeof SETTINGS) => LedgerUnderTest | Promise<LedgerUnderTest>
  /** Whether it can be a verifier's own store, for grants it knows by their signature only. */
  readonly ownStore: boolean
  /** Compares long runs of operations with the memory ledger: for a clock that moves only when it is told to. */
  readonly comparesWithMemory?: boolean
  /** Of vitest, or of any runner with the same two words. */
  readonly describe: (name: string, body: () => void) => void
  readonly it: (name: string, body: () => Promise<void>) => void
}

const groups = {
  redeem: redeemCases,
  limits: limitCases,
  uses: useCases,
  tasks: taskCases,
  outbox: outboxCases,
  once: onceCases,
}

/**
 * Registers the tests that every implementation of `Ledger` has to pass: each refusal, what a retry is told, ends,
 * revocations, and races. Throws nothing itself; the cases assert. Does not test durability or several processes.
 */
export function ledgerContract({
  name,
  create,
  ownStore,
  comparesWithMemory,
  describe,
  it,
}: LedgerContractOptions): void {
  const all = {
    ...groups,
    revocation: revocationCases,
    feed: feedCases,
    races: raceCases,
    ...(ownStore && { 'own store': signedCases }),
    ...(comparesWithMemory === true && { model: modelCases }),
  }
  describe(`${name} keeps the ledger contract`, () => {
    for (const [group, cases] of Object.entries(all)) {
      describe(group, () => {
        for (const { title, run } of cases) {
          it(title, async () => {
            const under = await create(SETTINGS)
            try {
              await run(new Scene(under))
            } finally {
              await under.close?.()
            }
          })
        }
      })
    }
  })
}
