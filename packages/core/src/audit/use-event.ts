import type { AuditEvent, EventType } from './event.ts'

/** The members that every event of one call shares: who called, with which grant, for what. */
export interface EventFacts {
  readonly source: string
  readonly txn: string | undefined
  readonly jti: string | undefined
  readonly client_id: string | undefined
  readonly sub: string | undefined
  readonly owner: string | undefined
  readonly aud: string | undefined
  readonly action: string | undefined
  readonly resource: string | undefined
}

/** Facts that many events share, in the order of their members. A trail writes their text once, for the line of each. */
export class EventStem {
  readonly facts: EventFacts
  /** As members of a line, where one was written. */
  text: string | undefined = undefined

  constructor(facts: EventFacts) {
    this.facts = facts
  }
}

/**
 * An event of a use, with members in the order in which they are written and undefined for what does not apply. A class
 * with all of them from the start, because two of these are made for every request.
 */
export class UseEvent {
  readonly id: string
  readonly type: EventType
  readonly time: number
  readonly source: string
  readonly txn: string | undefined
  readonly jti: string | undefined
  readonly client_id: string | undefined
  readonly sub: string | undefined
  readonly owner: string | undefined
  readonly aud: string | undefined
  readonly action: string | undefined
  readonly resource: string | undefined
  jkt: string | undefined = undefined
  call_id: string | undefined = undefined
  trace: string | undefined = undefined
  parameters: string | undefined = undefined
  follows: string | undefined = undefined
  status: number | undefined = undefined
  reason: string | undefined = undefined
  detail: string | undefined = undefined
  readonly #stem: EventStem

  constructor(type: EventType, stem: EventStem, { id, time }: { readonly id: string; readonly time: number }) {
    const { facts } = stem
    this.id = id
    this.type = type
    this.time = time
    this.source = facts.source
    this.txn = facts.txn
    this.jti = facts.jti
    this.client_id = facts.client_id
    this.sub = facts.sub
    this.owner = facts.owner
    this.aud = facts.aud
    this.action = facts.action
    this.resource = facts.resource
    this.#stem = stem
  }

  /** The stem of an event that is one of these. */
  static stemOf(event: object): EventStem | undefined {
    return #stem in event ? event.#stem : undefined
  }

  /** As a sink takes it: absent members are undefined ones, which no reader of events tells apart. */
  get event(): AuditEvent {
    return this as unknown as AuditEvent
  }
}
