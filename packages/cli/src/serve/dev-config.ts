import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { ApiRegistration } from '@hallpass/broker'
import type { WorkloadIdentity } from '@hallpass/core'
import { localDev } from '@hallpass/core/local-dev'
import type { AgentRegistration, Policy } from '@hallpass/policy'
import { Failure } from '../command/failure.ts'
import type { LoadedConfig } from '../config/load-config.ts'
import { createKeyRing } from '../keys/key-ring.ts'
import { signingKeysOf } from '../keys/ring-signers.ts'
import { isLoopback } from './loopback.ts'

export const DEV_ISSUER = 'http://127.0.0.1:8710'
export const DEV_OPERATOR = 'operator'

/** A workload whose identity is a file in `.hallpass/identities`. */
export interface LocalWorkload {
  readonly name: string
  readonly role: 'agent' | 'api' | 'operator'
}

export interface DevConfig {
  readonly loaded: LoadedConfig
  /** Workloads that prove themselves with `localDev`. */
  readonly local: readonly LocalWorkload[]
  readonly identities: string
}

/** The identity a laptop can have: a registered key stays, whatever needs an identity provider becomes local. */
const needsProvider = ({ kind }: WorkloadIdentity): boolean => kind !== 'private_key_jwt'

/** `api-orders.example` for `https://orders.example`. */
export const apiName = (audience: string): string => `api-${new URL(audience).host.replaceAll(/[^A-Za-z0-9._-]/g, '-')}`

function withAgents(policy: Policy, replace: (agent: AgentRegistration) => AgentRegistration): Policy {
  const agents = new Map(Object.values(policy.agents).map((agent) => [agent.id, replace(agent)]))
  return { ...policy, agents: Object.fromEntries(agents), agent: (id) => agents.get(id) }
}

/** The keys in `.hallpass/keys`, made the first time, so that old checkpoints stay verifiable. */
function devKeys(directory: string) {
  if (!existsSync(join(directory, 'ring.json'))) createKeyRing(directory)
  return signingKeysOf(directory, Date.now() / 1000)
}

/** Changes a configuration so that it runs on this machine alone: loopback, local identities, everything in `.hallpass`. */
export function devConfig(loaded: LoadedConfig, port: string | undefined): DevConfig {
  if (process.env['NODE_ENV'] === 'production') {
    throw new Failure(
      'hallpass dev gives identities away to everyone on this machine; in production use: hallpass serve',
    )
  }
  const { config, directory } = loaded
  const home = join(directory, '.hallpass')
  const identities = join(home, 'identities')
  const own = isLoopback(config.issuer) ? config.issuer : DEV_ISSUER
  const issuer = port === undefined ? own : `http://127.0.0.1:${port}`
  const local: LocalWorkload[] = []
  const isMoved = issuer !== config.issuer
  const localIdentity = (name: string, role: LocalWorkload['role']): WorkloadIdentity => {
    local.push({ name, role })
    const { kind, audience, subject, jwks } = localDev(name, { audience: issuer, directory: identities })
    return { kind, audience, subject, jwks }
  }
  /** A registered key works here too, once it is pinned to the issuer that is served. */
  const identityOf = (identity: WorkloadIdentity, name: string, role: LocalWorkload['role']): WorkloadIdentity => {
    if (needsProvider(identity)) return localIdentity(name, role)
    return isMoved ? { ...identity, audience: issuer } : identity
  }
  const policy = withAgents(config.policy, (agent) => ({
    ...agent,
    identity: identityOf(agent.identity, agent.id, 'agent'),
  }))
  const audiences = config.policy.apis.map(({ audience }) => audience)
  const apis = audiences.map((audience): ApiRegistration => {
    const known = config.apis?.find((api) => (api.api?.audience ?? api.audience) === audience)
    if (known !== undefined && !needsProvider(known.identity))
      return { ...known, identity: identityOf(known.identity, '', 'api') }
    const name = known?.id ?? apiName(audience)
    return { ...known, id: name, audience, identity: localIdentity(name, 'api') }
  })
  const operators = (config.operators ?? []).map(({ id, identity }) => ({
    id,
    identity: identityOf(identity, id, 'operator'),
  }))
  const hasOperator = operators.some(({ id }) => id === DEV_OPERATOR)
  const environment = config.environment ?? config.policy.environments[0]
  return {
    identities,
    local,
    loaded: {
      ...loaded,
      config: {
        ...config,
        issuer,
        policy,
        apis,
        operators: hasOperator
          ? operators
          : [...operators, { id: DEV_OPERATOR, identity: localIdentity(DEV_OPERATOR, 'operator') }],
        ...(environment !== undefined && { environment }),
        keys: () => devKeys(join(home, 'keys')),
        trail: { path: join(home, 'audit.jsonl'), everySeconds: 5 },
        ledger: 'memory',
        listen: {},
      },
    },
  }
}
