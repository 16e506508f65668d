import type { JsonObject, WorkloadIdentity } from '@hallpass/core'
import type { AgentRegistration, DecisionRequest, TaskSoFar } from '@hallpass/policy'

/** What every question of a policy test shares; each question may change it. */
export interface TestContext<Agent extends string = string, Purpose extends string = string> {
  readonly agent: Agent
  readonly purpose: Purpose
  /** NumericDate seconds, or a Date. */
  readonly now: number | Date
  readonly environment?: string
  readonly posture?: JsonObject
  readonly riskScore?: number
  readonly onBehalfOf?: NonNullable<DecisionRequest['onBehalfOf']>
  /** Claims of the agent's workload token. */
  readonly claims?: JsonObject
  /** What the task has done so far. Default: opened now, nothing done. */
  readonly task?: Partial<TaskSoFar>
  /** In place of the policy's own facts: values, or loaders as the policy has them. */
  readonly facts?: Readonly<Record<string, unknown>>
}

/** The part of a request that does not change from question to question. */
export function contextRequest(
  context: TestContext,
  agent: AgentRegistration | undefined,
): Omit<DecisionRequest, 'action' | 'resource' | 'parameters'> {
  const { purpose, environment, posture, riskScore, onBehalfOf, claims = {}, task } = context
  const now = context.now instanceof Date ? context.now.getTime() / 1000 : context.now
  return {
    agent: context.agent,
    identity: { ...pinned(agent?.identity), claims },
    purpose,
    ...(environment === undefined ? {} : { environment }),
    ...(posture === undefined ? {} : { posture }),
    ...(riskScore === undefined ? {} : { riskScore }),
    ...(onBehalfOf === undefined ? {} : { onBehalfOf }),
    task: { openedAt: now, deadline: now + (agent?.maxTaskSeconds ?? 3600), uses: {}, spent: {}, refusals: 0, ...task },
    now,
  }
}

/** The identity an agent is pinned to, as a broker would have verified it. */
function pinned(identity: WorkloadIdentity | undefined): { kind: WorkloadIdentity['kind']; iss: string; sub: string } {
  if (identity === undefined) return { kind: 'private_key_jwt', iss: 'unknown', sub: 'unknown' }
  const { kind } = identity
  if (kind === 'oidc') return { kind, iss: identity.issuer, sub: identity.subject }
  if (kind === 'private_key_jwt') return { kind, iss: identity.subject, sub: identity.subject }
  return { kind, iss: identity.id.split('/').slice(0, 3).join('/'), sub: identity.id }
}

/** Values as loaders: a value is what the policy's own loader would have answered at once. */
export const asLoaders = (facts: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(facts).map(([name, value]) => [name, typeof value === 'function' ? value : () => value]),
  )
