import type { EventType, JsonValue, TrailLine } from '@hallpass/core'
import { describeEvent } from '@hallpass/core'

/** Values of `severityNumber`: INFO, WARN, ERROR. */
const [INFO, WARN, ERROR] = [9, 13, 17] as const
const SEVERITY_TEXT = { [INFO]: 'INFO', [WARN]: 'WARN', [ERROR]: 'ERROR' } as const

const WARNED: ReadonlySet<EventType> = new Set<EventType>([
  'task.refused',
  'grant.refused',
  'grant.revoked',
  'use.refused',
  'use.unknown',
  'use.passed',
  'traffic.refused',
  'revocation.requested',
  'revocation.lifted',
  'trail.recovered',
])
const ALARMED: ReadonlySet<EventType> = new Set<EventType>(['trigger.fired', 'trail.gap'])

const severityOf = (type: EventType): 9 | 13 | 17 => (ALARMED.has(type) ? ERROR : WARNED.has(type) ? WARN : INFO)

/** What stands elsewhere in a log record. */
const ELSEWHERE: ReadonlySet<string> = new Set(['id', 'type', 'time', 'source'])

/** A JSON value as OTLP has it; whole numbers are 64 bits wide and so written as text. */
function anyValue(value: JsonValue): object {
  if (typeof value === 'string') return { stringValue: value }
  if (typeof value === 'boolean') return { boolValue: value }
  if (typeof value === 'number')
    return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value }
  if (value === null) return {}
  if (Array.isArray(value)) return { arrayValue: { values: (value as readonly JsonValue[]).map(anyValue) } }
  return { kvlistValue: { values: keyValues(value as Readonly<Record<string, JsonValue>>) } }
}

const keyValues = (members: Readonly<Record<string, JsonValue>>, prefix = ''): object[] =>
  Object.entries(members).map(([name, value]) => ({ key: `${prefix}${name}`, value: anyValue(value) }))

/** Trace id of a W3C `traceparent`, or one alone. */
const TRACE = /^(?:00-)?([0-9a-f]{32})(?:-([0-9a-f]{16})-[0-9a-f]{2})?$/

/** One line of a trail as OTLP/JSON: a whole `LogsData` with one record, as the file exporter writes one per line. */
export function otelLog(line: TrailLine): object {
  const [, traceId, spanId] = TRACE.exec(line.trace ?? '') ?? []
  const severity = severityOf(line.type)
  const members = Object.fromEntries(Object.entries(line).filter(([name]) => !ELSEWHERE.has(name)))
  const nanoseconds = `${Math.round(line.time * 1000)}000000`
  const record = {
    timeUnixNano: nanoseconds,
    observedTimeUnixNano: nanoseconds,
    severityNumber: severity,
    severityText: SEVERITY_TEXT[severity],
    eventName: `hallpass.${line.type}`,
    body: { stringValue: describeEvent(line) },
    attributes: [{ key: 'log.record.uid', value: { stringValue: line.id } }, ...keyValues(members, 'hallpass.')],
    ...(traceId !== undefined && { traceId }),
    ...(spanId !== undefined && { spanId }),
  }
  const resource = { attributes: keyValues({ 'service.name': 'hallpass', 'service.instance.id': line.source }) }
  return { resourceLogs: [{ resource, scopeLogs: [{ scope: { name: 'hallpass.audit' }, logRecords: [record] }] }] }
}
