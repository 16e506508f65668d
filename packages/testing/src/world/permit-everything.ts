import type { ApiSet } from '@hallpass/core'
import { apisOf } from '@hallpass/core'
import type { Policy } from '@hallpass/policy'
import { definePolicy } from '@hallpass/policy'
import type { TestIdentity } from '../identity/test-identity.ts'

/** The agent and the purpose of a world that was given no policy. */
export const TEST_AGENT = 'test-agent'
export const TEST_PURPOSE = 'test'

/** A policy that permits every action of the catalog to one agent: for tests that are about something else. */
export function permitEverything(
  api: ApiSet,
  agent: TestIdentity,
): Policy<ApiSet, typeof TEST_PURPOSE, typeof TEST_AGENT> {
  const names = apisOf(api).flatMap((one) => Object.keys(one.actions))
  return definePolicy({
    api,
    version: 'test',
    purposes: [TEST_PURPOSE],
    agents: {
      [TEST_AGENT]: {
        owner: 'team:test',
        identity: agent.registered,
        approvers: ['group:test'],
        // A test that attacks goes on after what would end a task; triggers are tested with a policy that has them.
        revokeOn: [{ on: 'signal', name: 'drill', effect: 'end-task' }],
        maxOpenTasks: 1000,
      },
    },
    rules: names.map((name) => ({
      id: `permit-${name}`,
      action: name,
      effect: 'permit' as const,
    })),
  })
}
