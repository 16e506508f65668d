import type { AuditDelivery, MaybePromise, SourceHead } from '@hallpass/core'
import { within } from '../flow/within.ts'

export interface VoucherOptions {
  readonly to: AuditDelivery
  readonly everyEvents: number
  readonly everySeconds: number
  readonly introduce: boolean
  readonly publish: ((jws: string) => MaybePromise<void>) | undefined
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

const PUBLISH_TIMEOUT_MS = 10_000

/** A checkpoint that does not get through is not missed: the next one covers what it would have covered. */
export function createVoucher({ to, everyEvents, everySeconds, introduce, publish }: VoucherOptions): Voucher {
  let head: SourceHead | undefined
  let waiting = 0
  /** Number of the newest line whose checkpoint is published too. */
  let reached = 0
  /** The newest checkpoint that the receiver took: offered again, not signed again, until it is published. */
  let taken: { readonly seq: number; readonly jws: string } | undefined
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
      if (taken?.seq !== upTo.seq) {
        const jws = await to.vouch?.(upTo, { introduce })
        if (jws === undefined) return
        taken = { seq: upTo.seq, jws }
      }
      const { jws } = taken
      if (publish !== undefined) await within(PUBLISH_TIMEOUT_MS, (async () => publish(jws))())
      reached = upTo.seq
    } catch {
      waiting += lines
    }
  }
  const sign = (): Promise<void> =>
    (signing ??= signHead().finally(() => {
      signing = undefined
      // What failed, and what was acknowledged in the meantime.
      if (waiting > 0) later()
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
    vouched: () => taken?.seq ?? 0,
    async finish() {
      isFinished = true
      clearTimeout(timer)
      await signing
      await sign()
    },
  }
}
