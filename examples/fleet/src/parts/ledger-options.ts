/** The same for everybody who opens the ledger. A short lease, so that the trail tells of lost uses within this run. */
export const LEDGER = { prefix: 'fleet', leaseSeconds: 3 } as const
