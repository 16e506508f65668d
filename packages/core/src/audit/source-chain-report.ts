import type { ChainHead } from './chain.ts'
import type { SourceHead, TrailLine } from './event.ts'
import { chainName, fitsOrigin, isOrigin } from './origin.ts'
import { misplaced } from './source-chains.ts'
import type { SourceTrust, Vouch } from './source-vouches.ts'
import { readVouch } from './source-vouches.ts'

/** A place where a source's own chain does not hold, though the trail that holds its events may. */
export interface SourceBreak {
  /** Line of the trail, counted from 1. */
  readonly line: number
  readonly detail: string
}

/** How far the source itself signed its chain. */
export interface SourceVouched {
  /** Its line up to which everything is as the source signed it. */
  readonly seq: number
  /** NumericDate at which it signed, and the line of the trail that holds the signature. */
  readonly time: number
  readonly line: number
  readonly jkt: string
  readonly trust: Vouch['trust']
  /** Who introduced the key. */
  readonly by?: string
}

/** What a trail holds of the chain that one other process kept. */
export interface SourceChain {
  readonly source: string
  readonly chain: string
  readonly lines: number
  /** Number of its first line in this trail: above 1 where an earlier trail has the ones before. */
  readonly first: number
  readonly head: ChainHead
  /** The newest good checkpoint by the source; its lines after that only agree with themselves. */
  readonly vouched?: SourceVouched
  /** Good checkpoints. */
  readonly vouches: number
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
  /** Hashes of its lines since the last good checkpoint. */
  hashes: Map<number, string>
  vouched: SourceVouched | undefined
  vouches: number
  broken: number
  readonly breaks: SourceBreak[]
}

function tell(followed: Followed, line: number, detail: string): void {
  followed.broken += 1
  if (followed.breaks.length < MAX_TOLD) followed.breaks.push({ line, detail })
}

/** Why a chain, as it stands in the trail, is not the one that its source signed. */
function contradiction({ head, first, hashes, vouched }: Followed, { seq, hash }: ChainHead): string | undefined {
  if (seq > head.seq) return `its source signed ${seq} lines, and only ${head.seq} are here`
  // What an earlier trail has, or an earlier checkpoint covers.
  if (seq < first || seq <= (vouched?.seq ?? 0)) return undefined
  return hashes.get(seq) === hash ? undefined : `its source signed another line number ${seq} than the one here`
}

/** Why a chain has a key of somebody else than before. */
const stranger = ({ vouched }: Followed, { by }: Vouch): string | undefined =>
  vouched?.by === undefined || by === undefined || vouched.by === by
    ? undefined
    : `its key was introduced by ${by}, and the one before by ${vouched.by}`

/** Follows the chains of other processes through a trail, line by line. */
export function createSourceChainReport(trust?: SourceTrust) {
  const chains = new Map<string, Followed>()
  /** Lines in the name of a source that are in none of its chains. */
  const unchained = new Map<string, number>()

  const follow = (name: string, { source, chain, seq, hash }: SourceHead, first: number): Followed => {
    const known = chains.get(name)
    if (known !== undefined) return known
    const followed: Followed = {
      source,
      chain,
      first,
      lines: 0,
      head: { seq, hash },
      hashes: new Map(),
      vouched: undefined,
      vouches: 0,
      broken: 0,
      breaks: [],
    }
    chains.set(name, followed)
    return followed
  }

  return {
    see(line: TrailLine, number: number): void {
      const { origin, seq: _seq, prev: _prev, hash: _hash, ...event } = line
      if (!isOrigin(origin)) {
        const name = line.source.replace(/#[^#]*$/, '')
        if (name.startsWith('verifier:')) unchained.set(name, (unchained.get(name) ?? 0) + 1)
        return
      }
      const name = chainName(line, origin)
      const known = chains.get(name)
      const head = { seq: origin.seq, hash: origin.hash }
      const source = name.slice(0, name.lastIndexOf(' '))
      const followed = follow(name, { source, chain: origin.chain, ...head }, head.seq)
      followed.lines += 1
      const detail = fitsOrigin({ ...event, origin })
        ? known && misplaced(known.head, origin)
        : `number ${origin.seq} is not the event that its source chained`
      if (detail !== undefined) tell(followed, number, detail)
      followed.hashes.set(origin.seq, origin.hash)
      if (origin.seq >= followed.head.seq) followed.head = head
    },
    /** Holds the chain against what its source signed. */
    async vouch(line: TrailLine, number: number): Promise<void> {
      const read = await readVouch(line, trust)
      const wrong = 'wrong' in read ? read.wrong : undefined
      const at = 'vouch' in read ? read.vouch : read.at
      const whose = at ?? {
        source: line.aud === undefined ? 'unknown' : `verifier:${line.aud}`,
        chain: '?',
        seq: 0,
        hash: '',
      }
      // Where nothing of the chain is here, its lines are in an earlier trail: they are shown as missing, and go on from there.
      const followed = follow(`${whose.source} ${whose.chain}`, whose, whose.seq + 1)
      const detail = wrong ?? contradiction(followed, whose) ?? ('vouch' in read ? stranger(followed, read.vouch) : '')
      if (detail !== undefined || !('vouch' in read)) return tell(followed, number, detail ?? '')
      const { seq, time, jkt, trust: rests, by } = read.vouch
      followed.vouches += 1
      if (seq <= (followed.vouched?.seq ?? 0)) return undefined
      followed.vouched = { seq, time, line: number, jkt, trust: rests, ...(by !== undefined && { by }) }
      for (const before of followed.hashes.keys()) if (before <= seq) followed.hashes.delete(before)
      return undefined
    },
    chains: (): readonly SourceChain[] =>
      [...chains.values()].map(({ hashes: _hashes, vouched, ...rest }) => ({ ...rest, ...(vouched && { vouched }) })),
    unchained: (): Readonly<Record<string, number>> => Object.fromEntries(unchained),
  }
}
