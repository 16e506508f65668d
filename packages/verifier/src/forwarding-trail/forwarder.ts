import type { AuditDelivery, SourceHead, TrailLine } from '@hallpass/core'
import { sentLine } from '@hallpass/core'
import type { Spool } from '@hallpass/core/file-trail'

export interface ForwarderOptions {
  readonly spool: Spool
  readonly to: AuditDelivery
  /** Milliseconds before the first new attempt after a failure, doubled up to `maxRetryMs`. */
  readonly retryMs: number
  readonly maxRetryMs: number
  /** Told of every head that the receiver acknowledged, and how many lines came to it. */
  readonly onAcknowledged?: (head: SourceHead, lines: number) => void
}

export interface Forwarder {
  /** There may be something to send. */
  wake(): void
  /** Resolves when everything that was on disk when it was called is acknowledged, or the forwarder stops. */
  delivered(): Promise<void>
  /** Attempts that failed since the last that did not. */
  failures(): number
  /** Lets the batch on its way finish and sends no other. */
  stop(): Promise<void>
}

const MAX_LINES = 500
/** A broker reads 1 MiB at a time, and a character takes up to three bytes. */
const MAX_CHARS = 250_000
const HALF = 0.5

/** Sends a spool's lines in order, one batch at a time; the next only after the last was acknowledged and marked so. */
export function createForwarder({ spool, to, retryMs, maxRetryMs, onAcknowledged }: ForwarderOptions): Forwarder {
  let failures = 0
  let stopped = false
  let running: Promise<void> | undefined
  let isWoken = false
  let timer: ReturnType<typeof setTimeout> | undefined
  const waiters = new Set<{ readonly until: number; readonly resolve: () => void }>()

  const settle = (): void => {
    const { seq } = spool.state().acknowledged
    for (const waiter of waiters) {
      if (!stopped && waiter.until > seq) continue
      waiters.delete(waiter)
      waiter.resolve()
    }
  }

  const sendNext = async (): Promise<boolean> => {
    const lines = await spool.next({ lines: MAX_LINES, chars: MAX_CHARS })
    if (lines.length === 0) return false
    await to.deliver(lines.map((line) => sentLine(line, spool.chain)))
    await spool.acknowledge()
    failures = 0
    const newest = lines.at(-1) as TrailLine
    const { seq, hash } = newest
    onAcknowledged?.({ source: newest.source.replace(/#[^#]*$/, ''), chain: spool.chain, seq, hash }, lines.length)
    settle()
    return true
  }

  const retryLater = (): void => {
    const wait = Math.min(retryMs * 2 ** Math.min(failures, 20), maxRetryMs)
    failures += 1
    // A part of it by chance, so that the replicas of an API do not come back all at once.
    timer = setTimeout(start, wait * (HALF + HALF * Math.random()))
    // What is undelivered is on disk: nobody needs to stay alive for it, but who waits for it does.
    if (waiters.size === 0) timer.unref?.()
  }

  const run = async (): Promise<void> => {
    try {
      // Once more after the last: a line may have got to the disk while it was looked for.
      for (let more = true; more || isWoken; more = await sendNext()) {
        if (stopped) return
        isWoken = false
      }
    } catch {
      if (!stopped) retryLater()
    }
  }

  function start(): void {
    timer = undefined
    running ??= run().finally(() => {
      running = undefined
      if (isWoken && timer === undefined && !stopped) start()
    })
  }

  return {
    wake() {
      isWoken = true
      if (running === undefined && timer === undefined && !stopped) start()
    },
    delivered() {
      const { waiting, acknowledged } = spool.state()
      if (waiting === 0 || stopped) return Promise.resolve()
      this.wake()
      timer?.ref?.()
      return new Promise((resolve) => waiters.add({ until: acknowledged.seq + waiting, resolve }))
    },
    failures: () => failures,
    async stop() {
      stopped = true
      clearTimeout(timer)
      await running
      settle()
    },
  }
}
