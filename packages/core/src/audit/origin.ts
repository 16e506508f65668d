import type { AuditEvent, EventOrigin, TrailLine } from './event.ts'
import { formatLine } from './line.ts'

const CHAIN = /^ch_[A-Za-z0-9_-]{8,64}$/
const HASH = /^[A-Za-z0-9_-]{43}$/
const MEMBERS = 4

/** Whether a value is an origin: its four members and no other. */
export function isOrigin(value: unknown): value is EventOrigin {
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== MEMBERS) return false
  const { chain, seq, prev, hash } = value as Partial<Record<keyof EventOrigin, unknown>>
  return (
    typeof chain === 'string' &&
    CHAIN.test(chain) &&
    Number.isSafeInteger(seq) &&
    (seq as number) >= 1 &&
    typeof prev === 'string' &&
    HASH.test(prev) &&
    typeof hash === 'string' &&
    HASH.test(hash)
  )
}

/** The event of a line of one's own chain, as it is sent on: it names its place in that chain. */
export function sentLine({ seq, prev, hash, ...event }: TrailLine, chain: string): AuditEvent {
  return { ...event, origin: { chain, seq, prev, hash } }
}

/** Whether this is the event that its origin has the hash of. Says nothing about what stood before it. */
export function fitsOrigin(event: AuditEvent): boolean {
  const { origin, ...own } = event
  if (!isOrigin(origin)) return false
  try {
    return formatLine(own, origin.seq, origin.prev).hash === origin.hash
  } catch {
    return false
  }
}

/** Who keeps this chain: the source without its instance, so that a restart, which is a new instance, goes on with it. */
export const chainName = (event: AuditEvent, { chain }: EventOrigin): string => `${nameOfSource(event.source)} ${chain}`

/** A source without its instance. */
export const nameOfSource = (source: string): string => source.replace(/#[^#]*$/, '')
