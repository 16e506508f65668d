import type { AuditEvent, EventType } from './event.ts'
import { REASON_WORDS, isRefusalReason } from './reason-words.ts'
import { printable } from './printable.ts'

const text = (value: string | undefined, otherwise: string): string =>
  value === undefined ? otherwise : printable(value)
const agent = (event: AuditEvent): string => text(event.client_id, 'An agent')
const call = (event: AuditEvent): string =>
  `${text(event.action, 'an action')}${event.resource === undefined ? '' : ` on ${printable(event.resource)}`}`
// An altered trail may hold anything where a number belongs.
const number = (value: unknown): string => (typeof value === 'number' ? String(value) : '?')
const seconds = (count: number): string => `${number(count)} ${count === 1 ? 'second' : 'seconds'}`

function because(event: AuditEvent): string {
  const { reason, rule, detail } = event
  if (reason === undefined) return ''
  const means = isRefusalReason(reason) ? REASON_WORDS[reason].means : printable(reason)
  const where = rule === undefined ? '' : ` (rule ${printable(rule)})`
  const more = detail === undefined ? '' : `. ${printable(detail)}`
  return `: ${means}${where}${more}`
}

/** A reason that is free text or a short word, not a refusal. */
const given = (event: AuditEvent): string => (event.reason === undefined ? '' : `: ${printable(event.reason)}`)
const after = (event: AuditEvent): string => (event.detail === undefined ? '' : `. ${printable(event.detail)}`)

/** Words for every type of event. */
const SENTENCES: Readonly<Record<EventType, (event: AuditEvent) => string>> = {
  'broker.started': (e) => `The broker started${after(e)}`,
  'policy.loaded': (e) => `Policy version ${text(e.policy?.version, '?')} is in force${after(e)}`,
  'key.rotated': (e) => `The signing key changed${after(e)}`,
  'task.opened': (e) =>
    `${agent(e)} opened a task for ${text(e.purpose, 'no stated purpose')}${e.note === undefined ? '' : `: “${printable(e.note)}”`}`,
  'task.refused': (e) =>
    `${agent(e)} was refused a task${e.purpose === undefined ? '' : ` for ${printable(e.purpose)}`}${because(e)}`,
  'task.renewed': (e) => `${agent(e)} renewed the task’s token; deadline and limits stay`,
  'task.ended': (e) => `The task ended${given(e)}${after(e)}`,
  'grant.issued': (e) =>
    `${agent(e)} got a grant for ${call(e)}${e.ttl === undefined ? '' : `, good for ${seconds(e.ttl)}`}${e.rule === undefined ? '' : ` (rule ${printable(e.rule)})`}`,
  'grant.refused': (e) => `${agent(e)} was refused ${call(e)}${because(e)}`,
  'grant.revoked': (e) => `The grant was revoked${given(e)}${after(e)}`,
  'grant.expired': () => 'The grant expired unspent',
  'use.started': (e) => `${agent(e)} spent a use: ${call(e)}`,
  'use.refused': (e) =>
    `The API refused ${agent(e) === 'An agent' ? 'a request' : agent(e)}${e.action === undefined ? '' : ` for ${call(e)}`}${because(e)}`,
  'use.repeated': (e) => `A retry of ${call(e)} got the recorded answer, without a new use`,
  'use.ended': (e) =>
    `The API answered${e.status === undefined ? '' : ` ${number(e.status)}`}${e.action === undefined ? '' : ` to ${call(e)}`}${after(e)}`,
  'use.given-back': (e) => `The API gave the use back${given(e)}`,
  'use.unknown': (e) => `No outcome came for ${call(e)}; the use counts as spent`,
  'use.passed': (e) =>
    `A request passed without enforcement${e.action === undefined ? '' : ` to ${call(e)}`}${because(e)}`,
  'trigger.fired': (e) =>
    `${agent(e)} set off the trigger ${text(e.reason, '?')}${e.count === undefined || e.count === 0 ? '' : `, ${number(e.count)} counted`}${after(e)}`,
  'revocation.requested': (e) => `Revocation${given(e)}${after(e)}`,
  'revocation.lifted': (e) => `What was stopped may start again${given(e)}${after(e)}`,
  'traffic.refused': (e) =>
    `${number(e.count ?? 1)} unauthenticated ${e.count === 1 || e.count === undefined ? 'request was' : 'requests were'} refused${because(e)}`,
  'trail.checkpoint': (e) =>
    e.reason === undefined ? 'The trail was signed up to here' : `The trail could not be signed${after(e)}`,
  'trail.recovered': (e) => `A line torn by a crash was cut off${after(e)}`,
  'trail.vouched': (e) => `A source signed how far its chain of events reaches${after(e)}`,
  'trail.gap': (e) => `A source’s events do not go on where they stopped${after(e)}`,
}

/** True for a type of event that Hallpass knows. */
export const isEventType = (type: string): type is EventType => Object.hasOwn(SENTENCES, type)

/** One event as a sentence, with its reason in words. Safe for a terminal whatever the event holds. */
export function describeEvent(event: AuditEvent): string {
  // A file written by a newer version may hold types that this one has no words for.
  return isEventType(event.type)
    ? SENTENCES[event.type](event)
    : `An event of the unknown type ${printable(event.type)}`
}
