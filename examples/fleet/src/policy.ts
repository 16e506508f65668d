import { privateKeyJwt } from '@hallpass/core'
import { definePolicy } from '@hallpass/policy'
import { orders } from './catalog.ts'
import type { FleetSetup } from './parts/setup.ts'

/** Refunds that one task may make, however many grants it gets and whichever replica they reach. */
export const REFUNDS_PER_TASK = 20

const agentOf = (setup: Pick<FleetSetup, 'issuer' | 'agents'>, name: 'day-bot' | 'night-bot') => ({
  owner: 'team:support',
  identity: privateKeyJwt({ audience: setup.issuer, subject: name, jwks: { keys: [setup.agents[name]] } }),
  approvers: ['group:support-leads'] as const,
  // It is made to run into its limit all the time, which the default triggers would take for trouble.
  revokeOn: [{ on: 'inactivity', seconds: 900, effect: 'end-task' }] as const,
  maxOpenTasks: 50,
})

export const fleetPolicy = (setup: Pick<FleetSetup, 'issuer' | 'agents'>) =>
  definePolicy({
    api: orders,
    version: '1',
    purposes: ['refund-run'],
    agents: { 'day-bot': agentOf(setup, 'day-bot'), 'night-bot': agentOf(setup, 'night-bot') },
    rules: [
      {
        id: 'day-refunds',
        action: 'refund.create',
        agents: ['day-bot'],
        effect: 'permit',
        limits: { calls: 1, ttlSeconds: 30, task: { calls: REFUNDS_PER_TASK } },
      },
      {
        id: 'night-refunds',
        action: 'refund.create',
        agents: ['night-bot'],
        effect: 'permit',
        limits: { calls: 1, ttlSeconds: 30 },
      },
    ],
  })
