const draws = new Uint32Array(64)
let next = draws.length

/** A random whole number from 0 to below `limit` (at most 2^32), each equally likely. */
export function randomBelow(limit: number): number {
  const fair = 2 ** 32 - (2 ** 32 % limit)
  for (;;) {
    if (next === draws.length) {
      crypto.getRandomValues(draws)
      next = 0
    }
    const draw = draws[next] ?? 0
    next += 1
    // What is left over at the top would make small numbers likelier.
    if (draw < fair) return draw % limit
  }
}
