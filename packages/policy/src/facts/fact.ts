import { isRecord } from '../definition/reader.ts'
import type { Problems } from '../definition/reader.ts'
import { isOpaque } from '../digest/source-text.ts'

/** A fact of a policy, checked. */
export interface Fact {
  readonly name: string
  readonly load: (r: unknown, signal: AbortSignal) => unknown
  readonly timeoutMs: number
}

const MAX_TIMEOUT_MS = 30_000

/** Checks the facts of a policy. */
export function compileFacts(value: unknown, problems: Problems): ReadonlyMap<string, Fact> {
  const facts = new Map<string, Fact>()
  if (value === undefined) return facts
  if (!isRecord(value)) {
    problems.add('facts', 'has to be an object')
    return facts
  }
  for (const [name, input] of Object.entries(value)) {
    const where = `fact '${name}'`
    if (!isRecord(input) || typeof input['load'] !== 'function') {
      problems.add(where, 'needs load, a function, and timeoutMs')
      continue
    }
    problems.closed(input, where, ['load', 'timeoutMs'])
    const { load, timeoutMs } = input
    if (isOpaque(load))
      problems.add(where, "'load' is bound or native: its source text, which the digest covers, cannot be read")
    if (!Number.isSafeInteger(timeoutMs) || (timeoutMs as number) < 1 || (timeoutMs as number) > MAX_TIMEOUT_MS) {
      problems.add(where, `'timeoutMs' has to be a whole number from 1 to ${MAX_TIMEOUT_MS}`)
      continue
    }
    facts.set(name, Object.freeze({ name, load: load as Fact['load'], timeoutMs: timeoutMs as number }))
  }
  return facts
}
