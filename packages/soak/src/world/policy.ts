import type { PrivateKeyJwtIdentity } from '@hallpass/core'
import { localDev } from '@hallpass/core/local-dev'
import { definePolicy } from '@hallpass/policy'
import type { AgentInput, Policy } from '@hallpass/policy'
import { LIMITS } from './orders.ts'
import type { ActionName, GuardedApi } from './orders.ts'

export const PURPOSE = 'soak'

const cents = (units: number): string => (units / 100).toFixed(2)

export interface PolicySetup {
  readonly issuer: string
  /** Folder with the keys of everybody who proves who it is. */
  readonly keys: string
  readonly agents: readonly string[]
  readonly apis: readonly GuardedApi[]
}

export const identityOf = (name: string, { issuer, keys }: Pick<PolicySetup, 'issuer' | 'keys'>) =>
  localDev(name, { audience: issuer, directory: keys })

/** Limits of 1, 7 and 100 uses, two of them with totals over all grants of a task at one API. */
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
  // Where APIs count for themselves, a grant's dearest use is charged for all its uses at issue: it has to fit.
  const mostCredit = setup.apis.length > 1 ? '4.25' : '9.00'
  return definePolicy({
    api: setup.apis.map(({ api }) => api),
    version: '1',
    purposes: [PURPOSE],
    agents: Object.fromEntries(setup.agents.map((name) => [name, agent(name)])),
    rules: setup.apis.flatMap(({ nameOf }) => [
      spending('refund.create', '50.00', nameOf),
      spending('credit.add', mostCredit, nameOf),
      plain('note.add', nameOf),
      plain('hint.add', nameOf),
    ]),
  })
}

const plain = (name: ActionName, nameOf: GuardedApi['nameOf']) => ({
  id: nameOf(name),
  action: nameOf(name),
  effect: 'permit' as const,
  limits: { calls: LIMITS[name].uses, ttlSeconds: LIMITS[name].ttlSeconds },
})

const spending = (name: 'refund.create' | 'credit.add', most: string, nameOf: GuardedApi['nameOf']) => {
  const { limits, ...rule } = plain(name, nameOf)
  return {
    ...rule,
    limits: { ...limits, totals: { amount: cents(LIMITS[name].total) } },
    grant: { parameters: { amount: { max: most } } },
  }
}
