import type { JsonObject, WorkloadIdentity } from '@hallpass/core'
import { parseStrictJson } from '@hallpass/core'
import type { AgentRegistration, DecisionRequest } from '@hallpass/policy'
import type { Arguments, Command } from '../command/command.ts'
import { Failure, misused } from '../command/failure.ts'
import { loadConfig } from '../config/load-config.ts'

function object(args: Arguments, name: string): JsonObject {
  const parsed = parseStrictJson(args.text(name) ?? '{}')
  const value = parsed.ok ? parsed.value : undefined
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject
  throw misused(`--${name} takes a JSON object, such as '{"amount":"42.00"}'`)
}

function required(args: Arguments, name: string): string {
  const text = args.text(name)
  if (text === undefined || text === '') throw misused(`Say --${name}`)
  return text
}

/** The identity an agent would show, as the policy registers it. */
function identityOf(identity: WorkloadIdentity, claims: JsonObject): DecisionRequest['identity'] {
  const { kind } = identity
  if (kind === 'spiffe') return { kind, iss: new URL(identity.id).host, sub: identity.id, claims }
  const iss = kind === 'oidc' ? identity.issuer : identity.subject
  return { kind, iss, sub: identity.subject, claims }
}

function instant(args: Arguments): number {
  const text = args.text('at')
  const at = text === undefined ? Date.now() : Date.parse(text)
  if (Number.isNaN(at)) throw misused('--at takes a time such as 2026-08-25T22:15:00Z')
  return at / 1000
}

function agentFrom(agents: Readonly<Record<string, AgentRegistration>>, id: string): AgentRegistration {
  const agent = Object.hasOwn(agents, id) ? agents[id] : undefined
  if (agent === undefined)
    throw new Failure(`The policy has no agent "${id}"; it has: ${Object.keys(agents).join(', ')}`)
  return agent
}

export const policyExplain: Command = {
  name: 'policy explain',
  summary: 'Ask a policy one question and see which rules answered',
  positionals: '[CONFIG.ts]',
  takes: [0, 1],
  options: {
    agent: { type: 'string', value: 'ID', help: 'Who asks' },
    purpose: { type: 'string', value: 'ID', help: 'What for; default: the only one the agent has' },
    action: { type: 'string', value: 'NAME', help: 'What is asked' },
    resource: { type: 'string', value: 'KIND:ID', help: 'On what' },
    parameters: { type: 'string', value: 'JSON', help: 'With what; default {}' },
    claims: { type: 'string', value: 'JSON', help: 'Claims of the identity; default {}' },
    environment: { type: 'string', value: 'NAME', help: 'Where; default: as configured' },
    at: { type: 'string', value: 'TIME', help: 'When; default now' },
  },
  notes: 'Exit code 0: permitted. 1: denied, or a person has to approve. Facts are loaded as the policy says.',
  async run(args, output) {
    const { config } = await loadConfig(args.positionals[0])
    const { policy } = config
    const agent = agentFrom(policy.agents, required(args, 'agent'))
    const [only, another] = agent.purposes
    const purpose = args.text('purpose') ?? (another === undefined ? only : undefined)
    if (purpose === undefined) throw misused(`Say --purpose: ${agent.id} has ${agent.purposes.join(', ')}`)
    const environment = args.text('environment') ?? config.environment
    const now = instant(args)
    const explanation = await policy.explain({
      agent: agent.id,
      identity: identityOf(agent.identity, object(args, 'claims')),
      purpose,
      action: required(args, 'action'),
      resource: required(args, 'resource'),
      parameters: object(args, 'parameters'),
      ...(environment !== undefined && { environment }),
      task: { openedAt: now, deadline: now + agent.maxTaskSeconds, uses: {}, spent: {}, refusals: 0 },
      now,
    })
    output.result(explanation)
    output.say(explanation.text)
    return explanation.decision.effect === 'permit' ? 0 : 1
  },
}
