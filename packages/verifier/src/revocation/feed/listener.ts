import { encodeBase64url } from '@hallpass/core'
import type { RefusalReason } from '@hallpass/core'
import type { RevocationContext } from '../source.ts'
import type { Applied, FeedState } from './feed-state.ts'
import { readEvents } from './read-events.ts'
import { verifyMessage } from './verify-message.ts'

export interface ListenerOptions {
  readonly context: RevocationContext
  readonly state: FeedState
  /** Asks the broker for its event stream, from a place on. */
  readonly open: (request: {
    readonly headers: Readonly<Record<string, string>>
    readonly signal: AbortSignal
  }) => Promise<Response>
  readonly maxStalenessSeconds: number
  readonly onConnection: (isOpen: boolean) => void
  readonly onMessage: (outcome: Applied | RefusalReason) => void
}

export interface Listener {
  readonly start: () => void
  readonly close: () => void
}

const EVENT_STREAM = 'text/event-stream'
const FIRST_WAIT_MS = 50
const LONGEST_WAIT_MS = 5000
const LONGEST_SILENCE_MS = 15_000
const text = new TextEncoder()

/**
 * Keeps one event stream open, and takes its messages one after the other. A message that is not in sequence, not
 * genuine, or missing for too long ends the connection; the next one goes on from the last place that was whole.
 */
export function createListener(options: ListenerOptions): Listener {
  const { context, state, open, maxStalenessSeconds, onConnection, onMessage } = options
  const silenceMs = Math.min(Math.max(maxStalenessSeconds * 500, 2000), LONGEST_SILENCE_MS)
  const longestWaitMs = Math.min(LONGEST_WAIT_MS, Math.max(maxStalenessSeconds * 250, FIRST_WAIT_MS))
  const stop = new AbortController()
  let wake: () => void = () => undefined

  const take = async (token: string): Promise<Applied | RefusalReason> => {
    const now = context.clock()
    const run = await verifyMessage(token, context, now)
    return run.ok ? state.apply(run.value, now) : run.reason
  }

  /** One connection from its beginning to its end. True when it brought something. */
  const follow = async (): Promise<boolean> => {
    const ended = new AbortController()
    const abort = () => ended.abort()
    stop.signal.addEventListener('abort', abort)
    let heardMs = performance.now()
    let silence: ReturnType<typeof setTimeout> | undefined
    // Set anew when it is over, and not with every message.
    const hearWithin = (waitMs: number): void => {
      silence = setTimeout(() => {
        const leftMs = heardMs + silenceMs - performance.now()
        if (leftMs > 0) hearWithin(leftMs)
        else abort()
      }, waitMs)
      unref(silence)
    }
    hearWithin(silenceMs)
    let brought = false
    let opened = false
    try {
      const { cursor } = state
      const response = await open({
        headers: {
          accept: EVENT_STREAM,
          ...(cursor !== undefined && { 'last-event-id': encodeBase64url(text.encode(cursor)) }),
        },
        signal: ended.signal,
      })
      const type = response.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase()
      if (response.status !== 200 || type !== EVENT_STREAM || response.body === null) {
        await response.body?.cancel()
        return false
      }
      opened = true
      onConnection(true)
      for await (const token of readEvents(response.body)) {
        const outcome = await take(token)
        onMessage(outcome)
        if (outcome !== 'applied' && outcome !== 'repeated') break
        brought = true
        heardMs = performance.now()
      }
    } finally {
      clearTimeout(silence)
      stop.signal.removeEventListener('abort', abort)
      abort()
      if (opened) onConnection(false)
    }
    return brought
  }

  const pause = async (milliseconds: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds)
      unref(timer)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })

  const run = async (): Promise<void> => {
    let waitMs = FIRST_WAIT_MS
    while (!stop.signal.aborted) {
      const brought = await follow().catch(() => false)
      if (brought) waitMs = FIRST_WAIT_MS
      // Spread, so that a hundred verifiers do not come back in one moment.
      if (!stop.signal.aborted) await pause(waitMs * (0.5 + Math.random() / 2))
      waitMs = Math.min(2 * waitMs, longestWaitMs)
    }
  }

  return {
    start: () => void run(),
    close() {
      stop.abort()
      wake()
    },
  }
}

/** On Node a timer of ours keeps no process alive; elsewhere it is a number. */
function unref(timer: unknown): void {
  ;(timer as { unref?: () => void }).unref?.()
}
