import type { Ledger } from '@hallpass/core'
import { memoryLedger } from '@hallpass/core'
import { describe, it } from 'vitest'
import { feedContract } from './feed-contract.ts'

/** A way to a ledger that can be cut, or lead to another one from then on. */
function way(to: Ledger) {
  const state = { isCut: false, to }
  const get = (_target: Ledger, name: keyof Ledger): unknown => {
    const member: unknown = state.to[name]
    if (name === 'watch') return (wake: () => void) => to.watch?.(() => state.isCut || wake())
    if (typeof member !== 'function') return member
    return async (...given: unknown[]) => {
      if (state.isCut) throw new Error('The ledger cannot be reached')
      return Reflect.apply(member, state.to, given) as unknown
    }
  }
  return Object.assign(state, { ledger: new Proxy(to, { get: (to, name) => get(to, name as keyof Ledger) }) })
}

const newLedger = () => memoryLedger({ exactFor: 'one-process' })

feedContract({
  name: 'memoryLedger()',
  async open() {
    const shared = newLedger()
    const ways = [way(shared), way(shared)] as const
    return {
      ledgers: [ways[0].ledger, ways[1].ledger],
      faults: {
        'a ledger that does not answer': {
          begin: () => void (ways[1].isCut = true),
          end: () => void (ways[1].isCut = false),
        },
        'a ledger that lost its memory': {
          begin() {
            const next = newLedger()
            for (const each of ways) each.to = next
          },
          end: () => undefined,
        },
      },
    }
  },
  faults: [
    { name: 'a ledger that does not answer', hits: 'second' },
    { name: 'a ledger that lost its memory', hits: 'loses' },
  ],
  wakes: true,
  describe,
  it,
})
