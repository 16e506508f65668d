/** Value that this share of the values does not exceed (nearest rank). Throws RangeError without any. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const value = sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]
  if (value === undefined) throw new RangeError('A quantile needs at least one value.')
  return value
}
