import { HallpassError } from '@hallpass/core'

/**
 * What an error of the client means. `unloaded`: this life of the server does not know the script. `full`: no memory is
 * left, and nothing was written. `cut`: nobody knows whether it was done; the same call may be sent again. `refused`:
 * the server does not serve it now. Anything else is as good as down: an error is never a permit.
 */
export type Trouble = 'unloaded' | 'full' | 'cut' | 'refused'

const ANSWERS: Readonly<Record<string, Trouble>> = {
  NOSCRIPT: 'unloaded',
  OOM: 'full',
  // Another node serves the slot soon, or this one does again.
  LOADING: 'cut',
  CLUSTERDOWN: 'cut',
  MASTERDOWN: 'cut',
  TRYAGAIN: 'cut',
  READONLY: 'cut',
  BUSY: 'cut',
}

/** An answer of the server begins with a word in capitals; what a client says of its connection does not. */
export function troubleOf(error: unknown): Trouble {
  const message = error instanceof Error ? error.message : ''
  const word = /^-?([A-Z]+)\b/.exec(message)?.[1]
  if (word === undefined || word === 'Connection') return 'cut'
  return ANSWERS[word] ?? 'refused'
}

export function unavailable(what: string, cause?: unknown): HallpassError {
  return new HallpassError('ledger-unavailable', `Redis ${what}`, cause === undefined ? undefined : { cause })
}
