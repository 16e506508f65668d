import type { AuditEvent, AuditSink, Telemetry } from '@hallpass/core'
import { isPromise } from '@hallpass/core'
import type { Names } from './names.ts'

/**
 * Counts what is put on record, so that metrics say what the trail says. Only this broker's own events: what verifiers
 * send it is counted where it happened.
 */
export function meterEvents(
  sink: AuditSink,
  { telemetry, names, source }: { readonly telemetry: Telemetry; readonly names: Names; readonly source: string },
): AuditSink {
  const count = (event: AuditEvent): void => {
    const agent = names.agent(event)
    switch (event.type) {
      case 'task.opened':
        return telemetry.count('hallpass.tasks.opened', 1, { ...agent, ...names.purpose(event) })
      case 'task.refused':
        return telemetry.count('hallpass.tasks.refused', 1, { ...agent, ...names.reason(event) })
      case 'task.ended':
        return telemetry.count('hallpass.tasks.ended', 1, { ...agent, 'hallpass.end': event.reason })
      case 'grant.issued':
        return telemetry.count('hallpass.grants.issued', 1, { ...agent, ...names.call(event) })
      case 'grant.refused':
        return telemetry.count('hallpass.grants.refused', 1, { ...agent, ...names.call(event), ...names.reason(event) })
      case 'grant.revoked':
        return telemetry.count('hallpass.grants.revoked', 1, {})
      case 'trigger.fired':
        return telemetry.count('hallpass.triggers.fired', 1, { ...agent, 'hallpass.trigger': event.reason })
      case 'revocation.requested':
        return telemetry.count('hallpass.revocations', 1, { 'hallpass.target': targetKind(event) })
      case 'use.unknown':
        return telemetry.count('hallpass.uses', 1, { 'hallpass.role': 'broker', 'hallpass.outcome': 'unknown' })
      case 'traffic.refused':
        return telemetry.count('hallpass.traffic.refused', event.count ?? 1, { ...agent, ...names.reason(event) })
      default:
        return undefined
    }
  }
  const observe = (event: AuditEvent): void => {
    if (event.source === source) count(event)
  }

  return {
    // Whatever else it can do, it still can where somebody counts.
    ...sink,
    append(event) {
      const appended = sink.append(event)
      if (isPromise(appended)) return appended.then(() => observe(event))
      observe(event)
      return undefined
    },
  }
}

/** Written by `revoke`, in words of the code. */
function targetKind({ data }: AuditEvent): string | undefined {
  const { target } = (data ?? {}) as { readonly target?: { readonly kind?: string } }
  return target?.kind
}
