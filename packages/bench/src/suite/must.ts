import { isPromise } from '@hallpass/core'
import type { MaybePromise } from '@hallpass/core'

/** Throws unless `holds`; `claim` says what the row promised. */
export function must(holds: boolean, claim: string): asserts holds {
  if (!holds) throw new Error(`It must be that ${claim}, and it is not.`)
}

/** Throws unless the attempt throws or rejects: how most peers refuse. */
export async function mustThrow(attempt: () => MaybePromise<unknown>, claim: string): Promise<void> {
  let refused = false
  try {
    const answer = attempt()
    if (isPromise(answer)) await answer
  } catch {
    refused = true
  }
  must(refused, claim)
}

/** The next prepared input of a slice. Throws when `prepare` made too few: the slice would repeat itself. */
export function take<T>(inputs: readonly T[], index: number): T {
  const input = inputs[index]
  if (input === undefined) throw new Error('A slice ran past the inputs that were prepared for it.')
  return input
}
