import { matchResource } from '@hallpass/core'
import type { Ask } from '../request/ask.ts'
import type { Rule } from '../rule/rule.ts'

export type Aside = 'agents' | 'purposes' | 'environments' | 'resources'

/** Why a rule about this action is not about this request, as far as its data says; undefined where it is. */
export function standsAside({ scope, resources }: Rule, { request, agent }: Ask): Aside | undefined {
  if (scope.agents !== undefined && !scope.agents.has(agent.id)) return 'agents'
  if (scope.purposes !== undefined && !scope.purposes.has(request.purpose)) return 'purposes'
  if (scope.environments !== undefined && !scope.environments.has(request.environment ?? '')) return 'environments'
  if (resources === undefined) return undefined
  return resources.some((pattern) => matchResource(pattern, request.resource)) ? undefined : 'resources'
}

/** Whether a rule tells resources of one kind apart by its data. */
export const namesResources = ({ resources }: Rule): boolean =>
  resources?.some((pattern) => !pattern.endsWith(':*')) === true
