import type { ChainHead } from './chain.ts'
import type { AuditEvent } from './event.ts'
import { FairMap } from './fair-map.ts'
import { chainName } from './origin.ts'

type Sent = Pick<AuditEvent, 'id' | 'source' | 'origin'>

/** The newest line of each chain that other processes keep. */
export interface SourceChains {
  /** What is wrong with this event's place, as members of a `trail.gap`; undefined where it follows, or nothing is known. */
  gapBefore(event: AuditEvent): Pick<AuditEvent, 'aud' | 'detail' | 'follows' | 'data'> | undefined
  /** Takes an event as its chain's newest line. */
  follow(event: Sent): void
  /** Begins this event's chain anew: whether its newest line was kept is not known. */
  forget(event: AuditEvent): void
}

/** Words for where a line stands when it does not follow the newest one. */
export function misplaced(after: ChainHead, at: { readonly seq: number; readonly prev: string }): string | undefined {
  if (at.seq === after.seq + 1 && at.prev === after.hash) return undefined
  const gone = at.seq - after.seq - 1
  if (gone > 0) return `${gone} ${gone === 1 ? 'line' : 'lines'} before number ${at.seq} did not arrive`
  if (at.seq <= after.seq) return `number ${at.seq} came after number ${after.seq}`
  return `number ${at.seq} follows another number ${after.seq} than the one that arrived`
}

/** Remembers so many chains, half of them of one API; the one silent for longest is forgotten first. A chain not remembered begins anywhere. */
export function createSourceChains(maxChains: number): SourceChains {
  const heads = new FairMap<ChainHead>(maxChains, (name) => name.slice(0, name.lastIndexOf(' ')))
  return {
    gapBefore(event) {
      const { origin, source, aud, id } = event
      if (origin === undefined) return undefined
      const after = heads.get(chainName(event, origin))
      const detail = after && misplaced(after, origin)
      if (after === undefined || detail === undefined) return undefined
      const { chain, seq, prev } = origin
      return {
        detail,
        ...(aud !== undefined && { aud }),
        data: { source, chain, event: id, after: { ...after }, got: { seq, prev } },
      }
    },
    forget(event) {
      if (event.origin !== undefined) heads.delete(chainName(event, event.origin))
    },
    follow(event) {
      const { origin } = event
      if (origin === undefined) return
      const name = chainName(event as AuditEvent, origin)
      const newest = heads.get(name)
      // An old line that turns up late must not make the next one look like a gap.
      const isNewer = newest === undefined || origin.seq >= newest.seq
      heads.set(name, isNewer ? { seq: origin.seq, hash: origin.hash } : newest)
    },
  }
}
