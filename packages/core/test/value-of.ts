import type { Result } from '../src/index.ts'

/** The value of a result that has to be good. */
export function valueOf<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`refused: ${result.reason}`)
  return result.value
}
