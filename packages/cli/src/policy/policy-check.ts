import type { WorkloadIdentity } from '@hallpass/core'
import type { Command } from '../command/command.ts'
import { loadConfig } from '../config/load-config.ts'

const named = (identity: WorkloadIdentity): string => {
  if (identity.kind === 'spiffe') return identity.id
  return identity.kind === 'oidc' ? `${identity.subject} of ${identity.issuer}` : `key of ${identity.subject}`
}

const EFFECT_WORDS = { permit: 'permits', deny: 'denies', approve: 'asks approval for' } as const

export const policyCheck: Command = {
  name: 'policy check',
  summary: 'Load a policy and say what looks wrong about it',
  positionals: '[CONFIG.ts]',
  takes: [0, 1],
  options: { strict: { type: 'boolean', help: 'Exit code 1 when anything looks wrong' } },
  notes: 'Looks at the data of the rules: whether a `when` is ever true only tests can tell.',
  async run(args, output) {
    const { config } = await loadConfig(args.positionals[0])
    const { policy } = config
    const findings = policy.check()
    const agents = Object.values(policy.agents)
    const actions = policy.apis.flatMap((api) => Object.values(api.actions))
    output.result({
      ok: true,
      version: policy.version,
      digest: policy.digest,
      agents: agents.map(({ id, owner, identity, purposes }) => ({ id, owner, identity: named(identity), purposes })),
      purposes: policy.purposes,
      actions: actions.map(({ name, audience, risk, resource }) => ({ name, audience, risk, resource })),
      rules: policy.rules,
      findings,
    })
    output.say(`Policy version ${policy.version}, ${policy.digest}\n\nAgents`)
    for (const { id, owner, identity, purposes } of agents) {
      output.say(`  ${id}  owned by ${owner}, is ${named(identity)}, for ${purposes.join(', ')}`)
    }
    output.say('\nActions')
    for (const { name, risk, resource, audience } of actions) {
      output.say(`  ${name}  ${risk}, on ${resource}, at ${audience}`)
    }
    output.say('\nRules')
    for (const { id, effect, actions: about, description } of policy.rules) {
      output.say(
        `  ${id}  ${EFFECT_WORDS[effect]} ${about.join(', ')}${description === undefined ? '' : `: ${description}`}`,
      )
    }
    output.say(findings.length === 0 ? '\nNothing looks wrong' : `\n${findings.length} thing(s) to look at`)
    for (const { kind, message } of findings) output.say(`  ! ${message} (${kind})`)
    return args.flag('strict') && findings.length > 0 ? 1 : 0
  },
}
