import { faultCase, type FaultWanted } from './fault-cases.ts'
import type { FeedCase } from './feed-case.ts'
import type { FeedStores } from './feed-stage.ts'
import { FeedStage } from './feed-stage.ts'
import { reachCases, wakeCases } from './reach-cases.ts'
import { takeoverCases } from './takeover-cases.ts'
import { wireCases } from './wire-cases.ts'

export interface FeedContractOptions {
  /** The ledger, as the report names it. */
  readonly name: string
  /** An empty store on its own clock, as two brokers see it. */
  readonly open: () => Promise<FeedStores>
  /** Faults that the store can be made to have, by the names that `FeedStores.faults` has. */
  readonly faults?: readonly FaultWanted[]
  /** Whether the store can tell one broker what another one killed. */
  readonly wakes: boolean
  /**
   * Whether messages are lost, doubled, swapped, forged and replayed on their way; default true. That is the same over every
   * store whose places have the same form: once for each form will do.
   */
  readonly tampers?: boolean
  /** Of vitest, or of any runner with the same two words. */
  readonly describe: (name: string, body: () => void) => void
  readonly it: (name: string, body: () => Promise<void>, longestMs: number) => void
}

/** Many waits, each of which may take its time on a slow machine. */
const LONGEST_TEST_MS = 240_000

/**
 * Registers the tests that the revocation feed has to pass over a store that two brokers share: real brokers, signed
 * messages, and verifiers that follow the broker that did not kill. In one process, without a network.
 *
 * Waits for what it expects, for up to half a minute each. Does not test the store by itself
 * (`ledgerContract`), and not how fast anything is.
 */
export function feedContract({
  name,
  open,
  faults = [],
  wakes,
  tampers = true,
  describe,
  it,
}: FeedContractOptions): void {
  const groups: Readonly<Record<string, readonly FeedCase[]>> = {
    'what dies at one broker is refused at the other': [...reachCases, ...(wakes ? wakeCases : [])],
    'brokers that go and come': takeoverCases,
    ...(tampers && { 'what happens on the way': wireCases }),
    ...(faults.length > 0 && { 'when the store cannot be reached': faults.map(faultCase) }),
  }
  describe(`the revocation feed over ${name}`, () => {
    for (const [group, cases] of Object.entries(groups)) {
      describe(group, () => {
        for (const { title, heartbeatSeconds, run } of cases) {
          it(
            title,
            async () => {
              const stores = await open()
              const stage = new FeedStage(stores, heartbeatSeconds === undefined ? {} : { heartbeatSeconds })
              try {
                await run(stage)
              } finally {
                await stage.close()
              }
            },
            LONGEST_TEST_MS,
          )
        }
      })
    }
  })
}
