import type { ApiSet } from '@hallpass/core'
import type { AgentRegistration, Policy } from '@hallpass/policy'
import type { TestIdentity } from '../identity/test-identity.ts'

/**
 * The same policy, with agents that authenticate by keys of the test: a real policy runs as it is, whatever identity
 * provider its agents have in production.
 */
export function withTestIdentities<S extends ApiSet, Purpose extends string, Agent extends string>(
  policy: Policy<S, Purpose, Agent>,
  identityOf: (id: string) => TestIdentity,
): Policy<S, Purpose, Agent> {
  const registrations = Object.values<AgentRegistration>(policy.agents).map((agent): [string, AgentRegistration] => [
    agent.id,
    { ...agent, identity: identityOf(agent.id).registered },
  ])
  const agents = new Map(registrations)
  return {
    ...policy,
    agents: Object.fromEntries(registrations) as Record<Agent, AgentRegistration>,
    agent: (id) => agents.get(id),
  }
}
