/** Order of a round: every contender leads once, and every second round runs backwards. */
export function rotation<T>(items: readonly T[], round: number): T[] {
  const start = items.length === 0 ? 0 : Math.floor(round / 2) % items.length
  const rotated = [...items.slice(start), ...items.slice(0, start)]
  return round % 2 === 1 ? rotated.reverse() : rotated
}
