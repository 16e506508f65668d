import type { AuditDelivery, AuditSink, MaybePromise } from '@hallpass/core'
import { HallpassError } from '@hallpass/core'
import { openSpool } from '@hallpass/core/file-trail'
import { createForwarder } from './forwarder.ts'
import { createVoucher } from './voucher.ts'
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
  readonly checkpoint?: SourceCheckpointOptions
}

/** How often this process signs, with the key that its requests to the broker are proven with, how far it delivered. */
export interface SourceCheckpointOptions {
  /** After this many events; default 1000. */
  readonly everyEvents?: number
  /** When this many seconds have passed and something was delivered; default 60. */
  readonly everySeconds?: number
  /**
   * Sends along what this API's identity says of the key, so that an auditor need not take the trail's word for it. The
   * identity is asked for an assertion with the audience `urn:hallpass:key:<thumbprint>` and no other. Default false.
   */
  readonly introduce?: boolean
  /**
   * Gets each checkpoint (compact JWS) that the broker took, to keep it elsewhere. Only what is held elsewhere proves
   * that nothing was cut off at the end. When it throws, rejects or takes longer than 10 s, the same checkpoint or a newer
   * one is offered again after `everySeconds`.
   */
  readonly publish?: (jws: string) => MaybePromise<void>
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
  /** Number of the newest line for which a checkpoint of this process is in the broker's trail; 0 before the first. */
  readonly vouched: number
}

/** An audit sink whose events are on disk here until they are in the broker's trail. */
export interface ForwardingTrail extends AuditSink {
  /** For metrics and readiness. */
  state(): ForwardingState
  /** Resolves when everything appended so far is acknowledged; waits for as long as the receiver is away. */
  delivered(): Promise<void>
  /** Stops sending after the batch on its way, and signs for what was delivered. What is undelivered stays on disk for the next start. */
  close(): Promise<void>
}

function milliseconds(value: number, name: string): number {
  if (Number.isSafeInteger(value) && value >= 1) return value
  throw new HallpassError('configuration-invalid', `forwardingTrail({ ${name} }) takes whole milliseconds of 1 or more`)
}

function wholeNumber(value: number, name: string, most: number): number {
  if (Number.isSafeInteger(value) && value >= 1 && value <= most) return value
  throw new HallpassError(
    'configuration-invalid',
    `forwardingTrail({ checkpoint: { ${name} } }) takes a whole number from 1 to ${most}`,
  )
}

/**
 * Records a verifier's events in a chained spool on disk and delivers them to the broker's trail: in order, each once,
 * over restarts of either side, and however long the broker is away.
 *
 * An event names its place in the spool's chain, so the broker sees a gap, a reorder or a rollback of this source; and
 * this process signs how far it delivered, so that the broker cannot change what it has unnoticed. When
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
  const { introduce = false, publish } = options.checkpoint ?? {}
  const everyEvents = wholeNumber(options.checkpoint?.everyEvents ?? 1000, 'everyEvents', 1_000_000)
  const everySeconds = wholeNumber(options.checkpoint?.everySeconds ?? 60, 'everySeconds', 86_400)
  const voucher = createVoucher({ to, everyEvents, everySeconds, introduce, publish })
  const spool = openSpool({
    path,
    ...(durable !== undefined && { durable }),
    ...(maxBytes !== undefined && { maxBytes }),
    ...(segmentBytes !== undefined && { segmentBytes }),
    onWritten: () => forwarder.wake(),
  })
  const forwarder = createForwarder({
    spool,
    to,
    retryMs,
    maxRetryMs,
    onAcknowledged: (head, lines) => voucher.acknowledged(head, lines),
  })
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
      return { waiting, bytes, full, damaged, vouched: voucher.vouched(), failures: forwarder.failures() }
    },
    async delivered() {
      await spool.flush()
      await forwarder.delivered()
    },
    async close() {
      await forwarder.stop()
      // A broker that is away would only be waited for.
      if (forwarder.failures() === 0) await voucher.finish()
      await spool.close()
    },
  }
}
