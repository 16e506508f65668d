const NEVER = Number.MAX_SAFE_INTEGER

/** NumericDate seconds as whole milliseconds, the resolution of this ledger's clock. No number is over already. */
export function msOf(seconds: number): number {
  if (Number.isNaN(seconds)) return -1
  return Math.max(-1, Math.min(NEVER, Math.floor(seconds * 1000)))
}

export const secondsOf = (ms: unknown): number => Number(ms) / 1000
