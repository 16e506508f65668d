import type { AuditEvent, MetricAttributes, SpanAttributes } from '@hallpass/core'
import { isRefusalReason } from '@hallpass/core'
import type { Policy } from '@hallpass/policy'

type Facts = Partial<AuditEvent>

/** What stands for a name that neither policy nor registration knows, so that nobody chooses what a metric is split by. */
const OTHER = '_OTHER'

/** Turns facts of events into attributes, in words of the policy and the code. */
export interface Names {
  agent(facts: Facts): MetricAttributes
  call(facts: Facts): MetricAttributes
  purpose(facts: Facts): MetricAttributes
  reason(facts: Facts): MetricAttributes
  /** For a span: these, and the ids. */
  known(facts: Facts): SpanAttributes
}

export function createNames(policy: Policy, callers: ReadonlyMap<string, unknown>): Names {
  const audiences = new Set(policy.apis.map(({ audience }) => audience))
  const actions = new Set(policy.apis.flatMap(({ actions: own }) => Object.keys(own)))
  const purposes = new Set(policy.purposes)
  const one = (name: string | undefined, isKnown: (name: string) => boolean): string | undefined =>
    name === undefined || isKnown(name) ? name : OTHER

  const names: Names = {
    agent: ({ client_id: id }) => ({ 'gen_ai.agent.id': one(id, (name) => callers.has(name)) }),
    call: ({ aud, action }) => ({
      'hallpass.audience': one(aud, (name) => audiences.has(name)),
      'hallpass.action': one(action, (name) => actions.has(name)),
    }),
    purpose: ({ purpose }) => ({ 'hallpass.purpose': one(purpose, (name) => purposes.has(name)) }),
    reason: ({ reason }) => ({ 'hallpass.reason': one(reason, isRefusalReason) }),
    known: (facts) => ({
      ...names.agent(facts),
      ...names.call(facts),
      ...names.purpose(facts),
      'hallpass.task.id': facts.txn,
      'gen_ai.tool.call.id': facts.call_id,
    }),
  }
  return names
}
