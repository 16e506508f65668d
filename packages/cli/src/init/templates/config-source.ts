import type { Jwk } from '@hallpass/core'
import { quote } from '../source-text.ts'

const IMPORTS = [
  "import { defineConfig } from '@hallpass/cli'",
  "import { privateKeyJwt } from '@hallpass/core'",
  "import { defaultTriggers, definePolicy } from '@hallpass/policy'",
  "import { api } from './catalog.ts'",
].join('\n')

export interface ProjectNames {
  readonly agent: string
  readonly purpose: string
  readonly api: string
  readonly operator: string
  readonly issuer: string
}

export interface ConfigParts {
  readonly names: ProjectNames
  readonly keys: Readonly<Record<'agent' | 'api' | 'operator', Jwk>>
  /** The rules, as members of the list. */
  readonly rules: string
}

const jwkSource = (jwk: Jwk): string => {
  const members = Object.entries(jwk).flatMap(([name, value]) =>
    typeof value === 'string' ? [`${name}: ${quote(value)}`] : [],
  )
  return `{ ${members.join(', ')} }`
}

/** `hallpass.config.ts`: who the agent is, what it may do, and where the broker keeps its keys and its trail. */
export const configSource = ({ names, keys, rules }: ConfigParts): string => `${IMPORTS}

const issuer = ${quote(names.issuer)}

// Public keys. The private halves are in keys/, which git ignores.
const publicKeys = {
  agent: ${jwkSource(keys.agent)},
  api: ${jwkSource(keys.api)},
  operator: ${jwkSource(keys.operator)},
}
const registered = (subject: string, key: (typeof publicKeys)['agent']) =>
  privateKeyJwt({ audience: issuer, subject, jwks: { keys: [key] } })

// What no rule permits is denied.
export const policy = definePolicy({
  api,
  version: '1',
  purposes: [${quote(names.purpose)}],
  agents: {
    ${quote(names.agent)}: {
      owner: 'team:support',
      identity: registered(${quote(names.agent)}, publicKeys.agent),
      approvers: ['group:support-leads'],
      revokeOn: defaultTriggers,
    },
  },
  rules: [
${rules}
  ],
})

export default defineConfig({
  issuer,
  policy,
  keys: 'keys/broker',
  trail: 'audit.jsonl',
  // A restart of \`hallpass serve\` ends every task. What keeps them: 'sqlite:hallpass.db', 'redis://…', 'postgres://…'
  ledger: 'memory',
  apis: [{ id: ${quote(names.api)}, api, identity: registered(${quote(names.api)}, publicKeys.api) }],
  operators: [{ id: ${quote(names.operator)}, identity: registered(${quote(names.operator)}, publicKeys.operator) }],
})
`

/** Rules for the sample: reads, and refunds up to 50, at most 200 in one task. */
export const SAMPLE_RULES = `    { id: 'read-orders', action: 'order.read', effect: 'permit', limits: { calls: 5 } },
    {
      id: 'small-refund',
      action: 'refund.create',
      effect: 'permit',
      when: (r) => r.parameters.amount.lte('50.00'),
      limits: { calls: 1, ttlSeconds: 30, totals: { amount: '200.00' } },
    },`

/** Rules for a drafted catalog: what reads, and nothing else. */
export const readRules = (actions: readonly string[]): string =>
  actions.length === 0
    ? '    // Nothing in the catalog only reads, so nothing is permitted yet.'
    : `    // Reading is permitted. Writing needs a rule of its own: nothing else is.
    { id: 'reads', risk: 'read', effect: 'permit' },`
