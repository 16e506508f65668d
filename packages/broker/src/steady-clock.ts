/** NumericDate seconds that never go back, whatever the host's clock does. */
export function steadyClock(clock: () => number = () => Date.now() / 1000): () => number {
  let latest = -Infinity
  return () => {
    latest = Math.max(latest, clock())
    return latest
  }
}
