import { randomId } from '#crypto'
import { HallpassError } from '../fault.ts'
import type { MaybePromise } from '../result.ts'
import type { ChainHead } from './chain.ts'
import type { CheckpointSigner } from './checkpoint.ts'
import { signCheckpoint } from './checkpoint.ts'
import type { AuditEvent } from './event.ts'

export interface CheckpointOptions {
  readonly signer: CheckpointSigner
  /** Signs after this many events; default 1000. */
  readonly everyEvents?: number
  /** Signs when this many seconds have passed and something was appended; default 60. */
  readonly everySeconds?: number
  /**
   * Gets each signed checkpoint (compact JWS) to keep it elsewhere. Only a checkpoint held elsewhere proves that the
   * end of the trail was not cut off. When it throws, rejects or takes longer than 10 s, the same checkpoint or a newer
   * one is offered again after `everySeconds`.
   */
  readonly publish?: (jws: string) => MaybePromise<void>
}

export interface Checkpointer {
  /** Tells it that a line was appended. Never waits. */
  appended(): void
  /** Signs the head now, unless nothing was appended since the last time, and publishes what is not. Never rejects. */
  sign(): Promise<void>
  stop(): void
}

interface TrailToSign {
  readonly source: string
  readonly now: () => number
  readonly head: () => ChainHead
  readonly append: (event: AuditEvent) => void
}

/** For the signer, and for whoever publishes. */
const TIMEOUT_MS = 10_000

function wholeNumber(value: number, name: string, max: number): number {
  if (Number.isSafeInteger(value) && value >= 1 && value <= max) return value
  throw new HallpassError('configuration-invalid', `checkpoint.${name} must be a whole number from 1 to ${max}`)
}

function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('late')), TIMEOUT_MS)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}

/**
 * Puts signed checkpoints into a trail. Signing runs beside appending: a checkpoint names an earlier line than the one
 * before it. A signer that fails stops nothing, but the trail then says so in an unsigned `trail.checkpoint` event.
 */
export function createCheckpointer(options: CheckpointOptions, trail: TrailToSign): Checkpointer {
  const { signer, publish } = options
  const everyEvents = wholeNumber(options.everyEvents ?? 1000, 'everyEvents', 1_000_000)
  const everySeconds = wholeNumber(options.everySeconds ?? 60, 'everySeconds', 86_400)
  let sinceLast = 0
  let behind = false
  let signing: Promise<void> | undefined
  let unpublished: string | undefined

  const publishNewest = async (): Promise<void> => {
    const jws = unpublished
    if (jws === undefined) return
    if (publish !== undefined) await inTime((async () => publish(jws))())
    unpublished = undefined
  }
  const signHead = async (): Promise<void> => {
    const time = trail.now()
    const event = { id: randomId('ev_'), type: 'trail.checkpoint', time, source: trail.source } as const
    sinceLast = 0
    let jws: string
    try {
      jws = await inTime(signCheckpoint({ ...trail.head(), time, source: trail.source }, signer))
      behind = false
    } catch {
      behind = true
      // The signer's message may hold anything, so it stays out of the trail.
      trail.append({ ...event, reason: 'key-unavailable', detail: 'The checkpoint signer did not sign' })
      return
    }
    trail.append({ ...event, data: { jws } })
    unpublished = jws
  }
  const signAndPublish = async (): Promise<void> => {
    if (sinceLast > 0 || behind) await signHead()
    await publishNewest()
  }
  const sign = (): Promise<void> => {
    if (signing === undefined && (sinceLast > 0 || behind || unpublished !== undefined)) {
      // A trail that cannot be written says so to those who append, and what was not published is offered again, so the
      // rejection ends here.
      signing = signAndPublish()
        .catch(() => {})
        .finally(() => {
          signing = undefined
        })
    }
    return signing ?? Promise.resolve()
  }
  const timer: { unref?: () => void } & ReturnType<typeof setInterval> = setInterval(
    () => void sign(),
    everySeconds * 1000,
  )
  timer.unref?.()

  return {
    appended() {
      sinceLast += 1
      if (sinceLast >= everyEvents) void sign()
    },
    sign,
    stop: () => clearInterval(timer),
  }
}
