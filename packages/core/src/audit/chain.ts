import type { AuditEvent } from './event.ts'
import { GENESIS, formatLine } from './line.ts'

/** The newest line of a chain. `seq` 0 with the GENESIS hash stands before the first. */
export interface ChainHead {
  readonly seq: number
  readonly hash: string
}

/** The one writer of a chain. */
export interface Chain {
  readonly head: ChainHead
  /** The next line, without its line break. Nothing moves on when it throws. */
  next(event: AuditEvent): string
}

/** Starts a chain, or goes on after `from`. */
export function createChain(from: ChainHead = { seq: 0, hash: GENESIS }): Chain {
  let { seq, hash } = from
  return {
    get head() {
      return { seq, hash }
    },
    next(event) {
      const line = formatLine(event, seq + 1, hash)
      seq += 1
      hash = line.hash
      return line.text
    },
  }
}
