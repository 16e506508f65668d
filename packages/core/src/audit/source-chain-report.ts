import type { ChainHead } from './chain.ts'
import type { TrailLine } from './event.ts'
import { chainName, fitsOrigin, isOrigin } from './origin.ts'
import { misplaced } from './source-chains.ts'

/** A place where a source's own chain does not hold, though the trail that holds its events may. */
export interface SourceBreak {
  /** Line of the trail, counted from 1. */
  readonly line: number
  readonly detail: string
}

/** What a trail holds of the chain that one other process kept. */
export interface SourceChain {
  readonly source: string
  readonly chain: string
  readonly lines: number
  /** Number of its first line in this trail: above 1 where an earlier trail has the ones before. */
  readonly first: number
  readonly head: ChainHead
  /** The first few breaks. */
  readonly breaks: readonly SourceBreak[]
  readonly broken: number
}

const MAX_TOLD = 20

interface Followed {
  readonly source: string
  readonly chain: string
  readonly first: number
  lines: number
  head: ChainHead
  broken: number
  readonly breaks: SourceBreak[]
}

/** Follows the chains of other processes through a trail, line by line. */
export function createSourceChainReport() {
  const chains = new Map<string, Followed>()
  return {
    see(line: TrailLine, number: number): void {
      const { origin, seq: _seq, prev: _prev, hash: _hash, ...event } = line
      if (!isOrigin(origin)) return
      const name = chainName(line, origin)
      const known = chains.get(name)
      const head = { seq: origin.seq, hash: origin.hash }
      const source = name.slice(0, name.lastIndexOf(' '))
      const { chain, seq: first } = origin
      const followed: Followed = known ?? { source, chain, first, lines: 0, head, broken: 0, breaks: [] }
      if (known === undefined) chains.set(name, followed)
      followed.lines += 1
      const detail = fitsOrigin({ ...event, origin })
        ? known && misplaced(known.head, origin)
        : `number ${origin.seq} is not the event that its source chained`
      if (detail !== undefined) {
        followed.broken += 1
        if (followed.breaks.length < MAX_TOLD) followed.breaks.push({ line: number, detail })
      }
      if (origin.seq >= followed.head.seq) followed.head = head
    },
    chains: (): readonly SourceChain[] => [...chains.values()],
  }
}
