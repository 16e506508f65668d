import { describe, expect, test } from 'vitest'
import type { MemoryLedgerOptions } from './ledger-options.ts'
import { memoryLedger } from './memory-ledger.ts'

const named = { exactFor: 'one-process' }
const wrong: readonly [string, unknown][] = [
  ['nothing', undefined],
  ['no exactFor', {}],
  ['another exactFor', { exactFor: 'all-replicas' }],
  ['an unknown option', { ...named, maxTask: 5 }],
  ['the name of a method', { ...named, toString: 5 }],
  ['a clock that is no function', { ...named, clock: 5 }],
  ['no room', { ...named, maxProofs: 0 }],
  ['half a task', { ...named, maxTasks: 0.5 }],
  ['endless room', { ...named, maxGrants: Number.POSITIVE_INFINITY }],
  ['more than a Map takes', { ...named, maxUses: 2 ** 24 }],
  ['a text', { ...named, maxUses: '5' }],
  ['more skew than anybody may have', { ...named, maxSkewSeconds: 31 }],
  ['negative skew', { ...named, maxSkewSeconds: -1 }],
  ['tasks of more than a day', { ...named, maxTaskSeconds: 86_401 }],
]

describe('memoryLedger() options', () => {
  test.each(wrong)('throws for %s', (_, options) => {
    expect(() => memoryLedger(options as MemoryLedgerOptions)).toThrow(
      expect.objectContaining({ code: 'configuration-invalid' }),
    )
  })

  test('copies what it is given', () => {
    const options = { exactFor: 'one-process' as const, clock: () => 1000, maxProofs: 1 }
    const ledger = memoryLedger(options)
    options.maxProofs = 100
    expect([ledger.markOnce('a', 2000), ledger.markOnce('b', 2000)]).toEqual(['first', 'full'])
  })
})
