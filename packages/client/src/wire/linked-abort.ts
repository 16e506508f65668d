/** A signal that follows others until it is let go. */
export interface LinkedAbort {
  readonly signal: AbortSignal
  /** Stops following: a long-lived signal does not collect what is over. */
  release(): void
}

/** Follows every one of these signals. Unlike `AbortSignal.any` it leaves nothing behind on them. */
export function linkAborts(signals: readonly AbortSignal[]): LinkedAbort {
  const controller = new AbortController()
  const following = signals.map((signal) => {
    const follow = () => controller.abort(signal.reason)
    if (signal.aborted) follow()
    else listenOften(signal).addEventListener('abort', follow, { once: true })
    return () => signal.removeEventListener('abort', follow)
  })
  return {
    signal: listenOften(controller.signal),
    release() {
      for (const stop of following) stop()
    },
  }
}

// Node warns of a leak at the eleventh listener; a task may well have more calls on their way than that.
const events = globalThis.process?.getBuiltinModule?.('node:events')

function listenOften(signal: AbortSignal): AbortSignal {
  events?.setMaxListeners(0, signal)
  return signal
}
