import type { Ledger } from '@hallpass/core'
import type { Fetch } from '../../http/fetch-document.ts'
import type { OwnTokens } from '../../token/own-tokens.ts'
import type { RevocationTail } from '../revocation-tail.ts'
import { createLogReader } from './log-reader.ts'
import { securityEvent, signEvent, type SecurityEvent } from './security-event.ts'

/** A receiver that revocations are pushed to (RFC 8935). */
export interface PushReceiver {
  /** What it expects as the `aud` of its events. */
  readonly audience: string
  /** https URL, or http on loopback. */
  readonly url: string
  /** Value of the `Authorization` header, asked for anew for each request. */
  readonly authorization?: () => string | Promise<string>
  /** Only what concerns the API of this audience; default: every revocation. */
  readonly about?: string
}

export interface PusherOptions {
  readonly issuer: string
  readonly ledger: Pick<Ledger, 'revocations'>
  readonly tail: RevocationTail
  readonly tokens: OwnTokens
  readonly fetch: Fetch
  /** NumericDate seconds. */
  readonly clock: () => number
}

export interface PushState {
  readonly audience: string
  readonly delivered: number
  /** Events that the receiver called wrong (400); they are not sent again. */
  readonly refused: number
  /** Attempts in a row that failed; 0 when the last one arrived. */
  readonly failures: number
}

export interface Pusher {
  state(): PushState
  close(): void
}

const LINES = 50
const TIMEOUT_MS = 5000
const IDLE_MS = 5000
const FIRST_WAIT_MS = 500
const LONGEST_WAIT_MS = 60_000

/**
 * Delivers every revocation to one receiver, in the log's order, one request at a time, until it is accepted (202). What
 * fails is tried again, less and less often; nothing is queued but a place in the log. At least once: after a restart the
 * living part of the log is sent again under the same `jti`s.
 */
export function createPusher(receiver: PushReceiver, options: PusherOptions): Pusher {
  const { issuer, ledger, tail, tokens, fetch, clock } = options
  const { audience, about } = receiver
  const reader = createLogReader(ledger)
  const state = { delivered: 0, refused: 0, failures: 0 }
  const stop = new AbortController()
  let wake: () => void = () => undefined
  let cutShort: () => void = () => undefined
  let isWoken = false
  const unfollow = tail.follow({
    page() {
      isWoken = true
      wake()
    },
    gone: () => undefined,
  })

  async function push(event: SecurityEvent): Promise<void> {
    const authorization = await receiver.authorization?.()
    const response = await fetch(receiver.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/secevent+jwt',
        accept: 'application/json',
        ...(authorization !== undefined && { authorization }),
      },
      body: await signEvent(tokens, event),
      redirect: 'error',
      signal: AbortSignal.any([stop.signal, AbortSignal.timeout(TIMEOUT_MS)]),
    })
    await response.body?.cancel()
    if (response.status === 202 || response.status === 200) state.delivered += 1
    // RFC 8935 section 2.3: it will be as wrong the next time.
    else if (response.status === 400) state.refused += 1
    else throw new Error(`The receiver answered ${response.status}`)
  }

  /** Everything that is there. What arrived of a page that then failed is sent again: receivers know its `jti`. */
  async function deliver(): Promise<void> {
    for (let more = true; more && !stop.signal.aborted;) {
      const page = await reader.next(LINES)
      const telling = { issuer, audience, now: clock(), ...(about !== undefined && { about }) }
      for (const entry of page.entries) {
        const event = securityEvent(entry, telling)
        if (event !== undefined) await push(event)
      }
      reader.taken()
      more = page.more
    }
  }

  const pause = async (milliseconds: number, isWakeable: boolean): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds)
      timer.unref()
      cutShort = () => {
        clearTimeout(timer)
        resolve()
      }
      wake = isWakeable ? cutShort : () => undefined
    })

  async function run(): Promise<void> {
    while (!stop.signal.aborted) {
      isWoken = false
      try {
        await deliver()
        state.failures = 0
        if (!isWoken) await pause(IDLE_MS, true)
      } catch {
        state.failures += 1
        await pause(Math.min(FIRST_WAIT_MS * 2 ** (state.failures - 1), LONGEST_WAIT_MS), false)
      }
    }
  }
  void run()

  return {
    state: () => ({ audience, ...state }),
    close() {
      stop.abort()
      cutShort()
      unfollow()
    },
  }
}
