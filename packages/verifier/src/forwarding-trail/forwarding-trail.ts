import type { AuditDelivery, AuditSink } from '@hallpass/core'
import { HallpassError } from '@hallpass/core'
import { openSpool } from '@hallpass/core/file-trail'
import { createForwarder } from './forwarder.ts'
import { sendable } from './sendable.ts'

export interface ForwardingTrailOptions {
  /** A folder of its own on a local disk for what is not delivered yet; one process has it at a time. */
  readonly path: string
  /** Where the events go: `brokerLedger({ issuer, identity })`. */
  readonly to: AuditDelivery
  /**
   * `each` (default): an event is on disk before the handler runs, so kill -9 loses none. `grouped`: up to 10 ms of
   * events may be lost with the process, and requests do not wait for the disk.
   */
  readonly durable?: 'each' | 'grouped'
  /** Bytes that undelivered events may take on disk; then requests are refused. Default 256 MiB. */
  readonly maxBytes?: number
  /** Bytes per file; a file is deleted when all of it is delivered. Default 4 MiB. */
  readonly segmentBytes?: number
  /** Milliseconds before delivery is tried again, doubled with each failure; default 100. */
  readonly retryMs?: number
  /** Milliseconds between attempts at most; default 30 000. */
  readonly maxRetryMs?: number
}

export interface ForwardingState {
  /** Events recorded here that the receiver has not acknowledged. */
  readonly waiting: number
  /** Bytes they take on disk, up to a file that is partly delivered. */
  readonly bytes: number
  /** True while requests are refused because there is no more room. */
  readonly full: boolean
  /** Attempts that failed since the last one that did not. */
  readonly failures: number
  /** Lines altered on disk, which could not be sent. */
  readonly damaged: number
}

/** An audit sink whose events are on disk here until they are in the broker's trail. */
export interface ForwardingTrail extends AuditSink {
  /** For metrics and readiness. */
  state(): ForwardingState
  /** Resolves when everything appended so far is acknowledged; waits for as long as the receiver is away. */
  delivered(): Promise<void>
  /** Stops sending after the batch on its way. What is undelivered stays on disk for the next start. */
  close(): Promise<void>
}

function milliseconds(value: number, name: string): number {
  if (Number.isSafeInteger(value) && value >= 1) return value
  throw new HallpassError('configuration-invalid', `forwardingTrail({ ${name} }) takes whole milliseconds of 1 or more`)
}

/**
 * Records a verifier's events in a chained spool on disk and delivers them to the broker's trail: in order, each once,
 * over restarts of either side, and however long the broker is away.
 *
 * An event names its place in the spool's chain, so the broker sees a gap, a reorder or a rollback of this source. When
 * the spool is full or its disk does not write, `append` throws HallpassError `audit-unavailable` and the request is
 * refused. Ends of uses and what else has already happened get a quarter more room.
 *
 * @throws HallpassError `audit-unavailable` when another process has the folder, `trail-invalid` when the folder was
 * altered or is older than what was delivered, `configuration-invalid` for an option that cannot be.
 */
export function forwardingTrail(options: ForwardingTrailOptions): ForwardingTrail {
  const { path, to, durable, maxBytes, segmentBytes } = options
  const retryMs = milliseconds(options.retryMs ?? 100, 'retryMs')
  const maxRetryMs = milliseconds(options.maxRetryMs ?? 30_000, 'maxRetryMs')
  if (typeof to?.deliver !== 'function') {
    throw new HallpassError('configuration-invalid', 'forwardingTrail({ to }) takes brokerLedger({ issuer, identity })')
  }
  const spool = openSpool({
    path,
    ...(durable !== undefined && { durable }),
    ...(maxBytes !== undefined && { maxBytes }),
    ...(segmentBytes !== undefined && { segmentBytes }),
    onWritten: () => forwarder.wake(),
  })
  const forwarder = createForwarder({ spool, to, retryMs, maxRetryMs })
  // What the last process left.
  forwarder.wake()

  return {
    append(event) {
      return to.records?.(event) === true ? undefined : spool.append(sendable(event))
    },
    flush: () => spool.flush(),
    backlog: () => spool.state().waiting,
    state() {
      const { waiting, bytes, full, damaged } = spool.state()
      return { waiting, bytes, full, damaged, failures: forwarder.failures() }
    },
    async delivered() {
      await spool.flush()
      await forwarder.delivered()
    },
    async close() {
      await forwarder.stop()
      await spool.close()
    },
  }
}
