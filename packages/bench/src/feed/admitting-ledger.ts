import type { UseLedger } from '@hallpass/core'

/** A store of a verifier's own that admits every use: what refuses in these rows is the feed, and nothing else. */
export const admittingLedger: UseLedger = {
  exactFor: 'one-process',
  redeem: ({ event }) => ({
    ok: true,
    state: 'first',
    reservation: `res_${event}`,
    at: Date.now() / 1000,
    usesLeft: 1,
  }),
  settle: () => undefined,
  giveBack: () => false,
}
