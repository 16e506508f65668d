import { HallpassError } from '../fault.ts'

/**
 * Clock that never goes back, NumericDate seconds with fractions. Without a source it follows the system's clock
 * forward and counts elapsed time where that one is set back, so that setting a clock never revives what expired.
 * Throws HallpassError `ledger-unavailable` when a given source answers anything but a number.
 */
export function ledgerClock(source?: () => number): () => number {
  return source === undefined ? systemClock() : clamped(source)
}

function systemClock(): () => number {
  let ahead = Number.NEGATIVE_INFINITY
  return () => {
    const elapsed = performance.now()
    ahead = Math.max(ahead, Date.now() - elapsed)
    return (elapsed + ahead) / 1000
  }
}

function clamped(source: () => number): () => number {
  let latest = Number.NEGATIVE_INFINITY
  return () => {
    const now = source()
    // NaN would make every "is it over" comparison answer no.
    if (!Number.isFinite(now)) {
      throw new HallpassError('ledger-unavailable', 'The ledger clock did not answer a number of seconds')
    }
    if (now > latest) latest = now
    return latest
  }
}
