import { memoryLedger } from '@hallpass/core'
import { describe, it } from 'vitest'
import { ledgerContract } from './ledger-contract.ts'

ledgerContract({
  name: 'memoryLedger()',
  create(settings) {
    let now = 1_700_000_000.25
    const ledger = memoryLedger({ exactFor: 'one-process', clock: () => now, ...settings })
    return {
      ledger,
      advance(seconds) {
        now += seconds
      },
    }
  },
  ownStore: true,
  comparesWithMemory: true,
  describe,
  it,
})
