import { Buffer } from 'node:buffer'
import { defineConfig, type LedgerPlace } from '@hallpass/cli'
import { oidc } from '@hallpass/core'
import { defaultTriggers, definePolicy } from '@hallpass/policy'
import { orders } from './catalog.ts'

const issuer = 'https://broker.example'

/** Pods prove themselves with a service account token that is made for this issuer (a projected volume). */
const serviceAccount = (subject: string) =>
  oidc({
    issuer: 'https://kubernetes.default.svc.cluster.local',
    audience: issuer,
    subject: `system:serviceaccount:${subject}`,
  })

const policy = definePolicy({
  api: orders,
  version: '1',
  purposes: ['support-ticket'],
  agents: {
    'support-bot': {
      owner: 'team:support',
      identity: serviceAccount('agents:support-bot'),
      approvers: ['group:support-leads'],
      revokeOn: defaultTriggers,
    },
  },
  rules: [{ id: 'read-orders', action: 'order.read', effect: 'permit', limits: { calls: 5, ttlSeconds: 60 } }],
})

const env = (name: string): string => {
  const value = process.env[name]
  if (value === undefined || value === '') throw new Error(`${name} is not set`)
  return value
}

export default defineConfig({
  issuer,
  policy,
  keys: '/keys',
  ledger: env('HALLPASS_LEDGER') as LedgerPlace,
  digestKey: Buffer.from(env('HALLPASS_DIGEST_KEY'), 'base64'),
  trail: { path: `/trail/${env('POD_NAME')}.jsonl` },
  apis: [{ id: 'orders-api', api: orders, identity: serviceAccount('shop:orders-api') }],
  operators: [{ id: 'operator', identity: serviceAccount('hallpass:operator') }],
  // Two readiness probes fail and the endpoint is gone before connections are refused.
  listen: { drainSeconds: 6, graceSeconds: 10 },
})
