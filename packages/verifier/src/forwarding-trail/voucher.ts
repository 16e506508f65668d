import type { AuditDelivery, SourceHead } from '@hallpass/core'

export interface VoucherOptions {
  readonly to: AuditDelivery
  readonly everyEvents: number
  readonly everySeconds: number
  readonly introduce: boolean
  readonly publish: ((jws: string) => void) | undefined
}

/** Signs, beside the delivery and after it, how far a chain was delivered. */
export interface Voucher {
  /** So many more lines were acknowledged, up to this head. Never waits. */
  acknowledged(head: SourceHead, lines: number): void
  /** Number of the newest line that is signed for. */
  vouched(): number
  /** Signs what is not signed for yet, once, and nothing after it. Never rejects. */
  finish(): Promise<void>
}

/** A checkpoint that does not get through is not missed: the next one covers what it would have covered. */
export function createVoucher({ to, everyEvents, everySeconds, introduce, publish }: VoucherOptions): Voucher {
  let head: SourceHead | undefined
  let waiting = 0
  let reached = 0
  let signing: Promise<void> | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let isFinished = false

  const signHead = async (): Promise<void> => {
    clearTimeout(timer)
    timer = undefined
    const upTo = head
    if (upTo === undefined || upTo.seq <= reached) return
    const lines = waiting
    waiting = 0
    try {
      const jws = await to.vouch?.(upTo, { introduce })
      reached = upTo.seq
      if (jws !== undefined) publish?.(jws)
    } catch {
      waiting += lines
      later()
    }
  }
  const sign = (): Promise<void> =>
    (signing ??= signHead().finally(() => {
      signing = undefined
    }))
  const later = (): void => {
    if (isFinished || timer !== undefined) return
    timer = setTimeout(() => void sign(), everySeconds * 1000)
    timer.unref?.()
  }

  return {
    acknowledged(newest, lines) {
      if (to.vouch === undefined) return
      head = newest
      waiting += lines
      if (waiting >= everyEvents) void sign()
      else later()
    },
    vouched: () => reached,
    async finish() {
      isFinished = true
      clearTimeout(timer)
      await signing
      await sign()
    },
  }
}
