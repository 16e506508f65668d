import type { JsonObject, JsonValue } from '@hallpass/core'

/** Smaller values of the same shape: shorter texts, shorter lists, members of objects made smaller in place. */
function* smaller(value: JsonValue): Generator<JsonValue> {
  if (typeof value === 'string') yield* shorter(value.length, (from, to) => value.slice(0, from) + value.slice(to))
  else if (Array.isArray(value)) {
    const list = value as readonly JsonValue[]
    yield* shorter(list.length, (from, to) => list.toSpliced(from, to - from))
    for (const [at, item] of list.entries()) for (const less of smaller(item)) yield list.toSpliced(at, 1, less)
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, part] of Object.entries(value as JsonObject)) {
      for (const less of smaller(part)) yield { ...(value as JsonObject), [name]: less }
    }
  }
}

/** With a piece cut out: the larger pieces first. */
function* shorter<T>(length: number, without: (from: number, to: number) => T): Generator<T> {
  for (let piece = length; piece >= 1; piece = Math.floor(piece / 2)) {
    for (let from = 0; from < length; from += piece) yield without(from, Math.min(from + piece, length))
  }
}

/** The smallest input found within so many tries of which `still` holds (simple delta debugging). */
export async function shrink(
  input: JsonValue,
  still: (input: JsonValue) => Promise<boolean>,
  tries = 3000,
): Promise<JsonValue> {
  let best = input
  let left = tries
  for (let found = true; found && left > 0;) {
    found = false
    for (const candidate of smaller(best)) {
      left -= 1
      if (left <= 0) break
      if (await still(candidate)) {
        best = candidate
        found = true
        break
      }
    }
  }
  return best
}
