import type { AuditDelivery, SourceHead } from '@hallpass/core'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { VoucherOptions } from './voucher.ts'
import { createVoucher } from './voucher.ts'

const headOf = (seq: number): SourceHead => ({ source: 'verifier:t', chain: 'c', seq, hash: `h${seq}` })

function setUp(options: Partial<VoucherOptions> = {}) {
  const signed: number[] = []
  const published: string[] = []
  const to: AuditDelivery = {
    deliver: () => Promise.resolve(),
    async vouch({ seq }) {
      signed.push(seq)
      return `jws-${seq}`
    },
  }
  const publish = (jws: string) => void published.push(jws)
  const voucher = createVoucher({ to, everyEvents: 1, everySeconds: 60, introduce: false, publish, ...options })
  return { voucher, signed, published }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('createVoucher()', () => {
  test.each<[string, () => void | Promise<void>]>([
    [
      'throws',
      () => {
        throw new Error('disk')
      },
    ],
    ['rejects', () => Promise.reject(new Error('disk'))],
    ['never ends', () => new Promise(() => {})],
  ])('offers a checkpoint again, signed once, to a publish that %s', async (_name, fail) => {
    const offered: string[] = []
    const publish = (jws: string) => (offered.push(jws) === 1 ? fail() : undefined)
    const { voucher, signed } = setUp({ publish })
    voucher.acknowledged(headOf(3), 3)
    await vi.advanceTimersByTimeAsync(0)
    expect([offered, voucher.vouched()]).toEqual([['jws-3'], 3])
    await vi.advanceTimersByTimeAsync(75_000)
    expect([offered, signed]).toEqual([['jws-3', 'jws-3'], [3]])
    await vi.advanceTimersByTimeAsync(75_000)
    expect(offered).toHaveLength(2)
  })

  test('finish() offers what was not published, once, and nothing after it', async () => {
    let offers = 0
    const { voucher } = setUp({ publish: () => Promise.reject(new Error(`offer ${++offers}`)) })
    voucher.acknowledged(headOf(1), 1)
    await vi.advanceTimersByTimeAsync(0)
    await voucher.finish()
    await vi.advanceTimersByTimeAsync(600_000)
    expect([offers, vi.getTimerCount()]).toEqual([2, 0])
  })

  test('signs for what was acknowledged while it signed, without another event', async () => {
    const signed: number[] = []
    let answer: (jws: string) => void = () => {}
    const vouch = ({ seq }: SourceHead) => {
      signed.push(seq)
      return new Promise<string>((resolve) => (answer = resolve))
    }
    const { voucher, published } = setUp({ to: { deliver: () => Promise.resolve(), vouch } })
    voucher.acknowledged(headOf(1), 1)
    voucher.acknowledged(headOf(2), 1)
    answer('jws-1')
    await vi.advanceTimersByTimeAsync(60_000)
    expect(signed).toEqual([1, 2])
    answer('jws-2')
    await vi.advanceTimersByTimeAsync(60_000)
    expect([published, voucher.vouched(), vi.getTimerCount()]).toEqual([['jws-1', 'jws-2'], 2, 0])
  })
})
