import { createRequire } from 'node:module'
import type { ActionDraft, CatalogDraft } from './openapi/draft.ts'
import { catalogSource } from './openapi/catalog-source.ts'
import type { KeyPair } from '../keys/key-file.ts'
import type { SampleCall } from './templates/agent-source.ts'
import { agentSource, sampleCall } from './templates/agent-source.ts'
import { apiSource } from './templates/api-source.ts'
import type { ProjectNames } from './templates/config-source.ts'
import { SAMPLE_RULES, configSource, readRules } from './templates/config-source.ts'
import { packageSource, tsconfigSource } from './templates/project-source.ts'
import { API_PORT, API_URL, sampleCatalog } from './templates/sample-catalog.ts'

const ISSUER = 'http://127.0.0.1:8710'

const SAMPLE_NAMES: ProjectNames = {
  agent: 'support-bot',
  purpose: 'support-ticket',
  api: 'orders-api',
  operator: 'operator',
  issuer: ISSUER,
}
const DRAFT_NAMES: ProjectNames = { ...SAMPLE_NAMES, agent: 'my-agent', purpose: 'first-task', api: 'my-api' }

export const namesFor = (draft: CatalogDraft | undefined): ProjectNames =>
  draft === undefined ? SAMPLE_NAMES : DRAFT_NAMES

const refund = (amount: string, comment: string): SampleCall => ({
  action: 'refund.create',
  resource: 'order:123',
  parameters: { amount, reason: 'late' },
  comment,
})

const SAMPLE_CALLS: readonly SampleCall[] = [
  {
    action: 'order.read',
    resource: 'order:123',
    parameters: {},
    comment: 'Permitted: a grant for this order, this call',
  },
  refund('42.00', 'Permitted: a grant for exactly these parameters'),
  refund('500.00', 'Refused: no rule permits this much'),
]

function draftCalls(actions: readonly ActionDraft[]): readonly SampleCall[] {
  const read = actions.find(({ risk }) => risk === 'read')
  const other = actions.find(({ risk }) => risk !== 'read')
  return [
    ...(read ? [sampleCall(read, 'Permitted by the rule for reads')] : []),
    ...(other ? [sampleCall(other, 'Refused until the policy has a rule for it')] : []),
  ]
}

const cliVersion = (): string => {
  const { version } = createRequire(import.meta.url)('@hallpass/cli/package.json') as { version: string }
  return version
}

export interface ProjectFile {
  readonly name: string
  readonly text: string
  /** Left alone when it is there. */
  readonly isOptional?: boolean
}

export type ProjectKeys = Readonly<Record<'agent' | 'api' | 'operator', KeyPair>>

/** Every file of a new project besides its keys. */
export function projectFiles(draft: CatalogDraft | undefined, keys: ProjectKeys): readonly ProjectFile[] {
  const names = namesFor(draft)
  const catalog = draft ?? sampleCatalog
  const reads = catalog.actions.filter(({ risk }) => risk === 'read').map(({ name }) => name)
  const rules = draft === undefined ? SAMPLE_RULES : readRules(reads)
  const publicKeys = { agent: keys.agent.publicJwk, api: keys.api.publicJwk, operator: keys.operator.publicJwk }
  const calls = draft === undefined ? SAMPLE_CALLS : draftCalls(draft.actions)
  return [
    { name: 'catalog.ts', text: catalogSource(catalog, { isDrafted: draft !== undefined }) },
    { name: 'hallpass.config.ts', text: configSource({ names, keys: publicKeys, rules }) },
    { name: 'agent.ts', text: agentSource(names, API_URL, calls) },
    { name: 'api.ts', text: apiSource(names, API_PORT, catalog.actions) },
    { name: 'package.json', text: packageSource(cliVersion()), isOptional: true },
    { name: 'tsconfig.json', text: tsconfigSource(), isOptional: true },
  ]
}
