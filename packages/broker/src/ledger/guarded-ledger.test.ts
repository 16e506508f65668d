import { memoryLedger, type Ledger } from '@hallpass/core'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { guardedLedger, LEDGER_TIMEOUT_MS } from './guarded-ledger.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const ledgerWith = (change: Partial<Ledger>): Ledger =>
  guardedLedger({ ...memoryLedger({ exactFor: 'one-process', clock: () => 1000 }), ...change })
const gone = { code: 'ledger-unavailable' }

describe('guardedLedger()', () => {
  test('guardedLedger() hands answers on as they come', async () => {
    const ledger = ledgerWith({ now: async () => 7 })
    expect(await ledger.now()).toBe(7)
    expect(ledger.markOnce('a', 2000)).toBe('first')
    expect(ledger.markOnce('a', 2000)).toBe('seen')
  })

  test('guardedLedger() names a throw and a rejection the same', async () => {
    const throwing = ledgerWith({
      now: () => {
        throw new Error('a')
      },
    })
    expect(() => throwing.now()).toThrow(expect.objectContaining(gone) as Error)
    await expect(ledgerWith({ now: () => Promise.reject(new Error('b')) }).now()).rejects.toMatchObject(gone)
  })

  test('guardedLedger() takes silence for an answer after a while, and lets revocations take their time', async () => {
    const silent = () => new Promise<never>(() => {})
    const ledger = ledgerWith({ task: silent, revoke: silent })
    const asked = Promise.resolve(ledger.task('t')).catch((fault: unknown) => fault)
    const settled = vi.fn<() => void>()
    void Promise.resolve(ledger.revoke({ kind: 'everything' }, 'x')).finally(settled)
    await vi.advanceTimersByTimeAsync(LEDGER_TIMEOUT_MS)
    expect(await asked).toMatchObject(gone)
    expect(settled).not.toHaveBeenCalled()
    expect(vi.getTimerCount()).toBe(0)
  })
})
