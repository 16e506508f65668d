import type { CounterName, DurationName, GaugeName } from '../telemetry/telemetry.ts'

interface Described {
  readonly unit: string
  readonly description: string
}

export const COUNTERS: Readonly<Record<CounterName, Described>> = {
  'hallpass.grants.issued': { unit: '{grant}', description: 'Grants that left the broker' },
  'hallpass.grants.refused': { unit: '{grant}', description: 'Grants that the broker refused, to proven callers' },
  'hallpass.grants.revoked': { unit: '{grant}', description: 'Grants that died before they ended' },
  'hallpass.ledger.errors': { unit: '{error}', description: 'Operations of the ledger that failed or took too long' },
  'hallpass.revocations': { unit: '{revocation}', description: 'Revocations asked for' },
  'hallpass.tasks.ended': { unit: '{task}', description: 'Tasks that ended' },
  'hallpass.tasks.opened': { unit: '{task}', description: 'Tasks that were opened' },
  'hallpass.tasks.refused': { unit: '{task}', description: 'Tasks that the broker did not open or renew' },
  'hallpass.traffic.refused': { unit: '{request}', description: 'Refused requests that nobody is answerable for' },
  'hallpass.triggers.fired': { unit: '{trigger}', description: 'Revocation triggers that fired' },
  'hallpass.uses': { unit: '{use}', description: 'Uses of grants by how they ended' },
  'hallpass.verifications': { unit: '{request}', description: 'Guarded requests by verdict' },
}

export const DURATIONS: Readonly<Record<DurationName, Described>> = {
  'gen_ai.execute_tool.duration': { unit: 's', description: 'One call of an agent, with all that was asked for it' },
  'hallpass.ask.duration': { unit: 's', description: 'One question to the broker' },
  'hallpass.broker.request.duration': { unit: 's', description: 'One request at the broker' },
  'hallpass.verify.duration': { unit: 's', description: 'From a request to its verdict, the handler not included' },
}

export const GAUGES: Readonly<Record<GaugeName, Described>> = {
  'hallpass.audit.backlog': { unit: '{event}', description: 'Events that wait for the trail that keeps them' },
  'hallpass.feed.streams': { unit: '{stream}', description: 'Open streams of the revocation feed' },
  'hallpass.revocation.staleness': { unit: 's', description: 'Age of what is known about revocations' },
}

/** From a warm verification to a slow network, in seconds. */
export const BUCKETS: readonly number[] = [
  0.000_025, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
]
