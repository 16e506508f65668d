import type { PrivateKeyJwtIdentity } from '@hallpass/core'
import { localDev } from '@hallpass/core/local-dev'
import { definePolicy } from '@hallpass/policy'
import type { AgentInput, Policy } from '@hallpass/policy'
import { LIMITS, orders } from './orders.ts'

export const PURPOSE = 'soak'
/** Id of the API where it proves itself to the broker. */
export const API_ID = 'orders-api'

const cents = (units: number): string => (units / 100).toFixed(2)

export interface PolicySetup {
  readonly issuer: string
  /** Folder with the keys of everybody who proves who it is. */
  readonly keys: string
  readonly agents: readonly string[]
}

export const identityOf = (name: string, { issuer, keys }: Pick<PolicySetup, 'issuer' | 'keys'>) =>
  localDev(name, { audience: issuer, directory: keys })

/** Limits of 1, 7 and 100 uses, two of them with totals over all grants of a task. */
export function soakPolicy(setup: PolicySetup): Policy {
  const agent = (name: string): AgentInput<typeof PURPOSE> => ({
    owner: `team:${name}`,
    identity: identityOf(name, setup) satisfies PrivateKeyJwtIdentity,
    approvers: ['group:leads'],
    // Nobody sends it: what ends here is ended by the run, so that it knows when.
    revokeOn: [{ on: 'signal', name: 'never', effect: 'revoke-grant' }],
    maxOpenTasks: 1000,
    maxTaskSeconds: 600,
  })
  const of = (name: keyof typeof LIMITS) => ({ calls: LIMITS[name].uses, ttlSeconds: LIMITS[name].ttlSeconds })
  return definePolicy({
    api: orders,
    version: '1',
    purposes: [PURPOSE],
    agents: Object.fromEntries(setup.agents.map((name) => [name, agent(name)])),
    rules: [
      {
        id: 'refund',
        action: 'refund.create',
        effect: 'permit',
        limits: { ...of('refund.create'), totals: { amount: cents(LIMITS['refund.create'].total) } },
        grant: { parameters: { amount: { max: '50.00' } } },
      },
      {
        id: 'credit',
        action: 'credit.add',
        effect: 'permit',
        limits: { ...of('credit.add'), totals: { amount: cents(LIMITS['credit.add'].total) } },
        grant: { parameters: { amount: { max: '9.00' } } },
      },
      { id: 'note', action: 'note.add', effect: 'permit', limits: of('note.add') },
      { id: 'hint', action: 'hint.add', effect: 'permit', limits: of('hint.add') },
    ],
  })
}
