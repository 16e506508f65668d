import { relative } from 'node:path'
import type { Command } from '../command/command.ts'
import { loadConfig } from '../config/load-config.ts'
import type { DevConfig } from './dev-config.ts'
import type { RunningBroker } from './run-broker.ts'

const fromHere = (path: string): string => relative(process.cwd(), path) || '.'

function welcome({ loaded, local, identities }: DevConfig, { listening, trailFile = '' }: RunningBroker): string {
  const { issuer, policy } = loaded.config
  const agents = Object.values(policy.agents)
  const actions = policy.apis.flatMap(({ actions: all }) => Object.keys(all))
  const trail = fromHere(trailFile)
  const localLines = local.map(({ name, role }) => `  ${role.padEnd(8)}  ${name}`)
  return [
    `Broker   ${issuer}${listening.host === '127.0.0.1' ? '' : ` on ${listening.host}`}`,
    `Policy   version ${policy.version}: ${agents.length} agent(s), ${actions.length} action(s)`,
    `Trail    ${trail}`,
    ...(localLines.length === 0
      ? []
      : [
          `\nThese prove themselves with a key in ${fromHere(identities)}:`,
          ...localLines,
          `  localDev(NAME, { audience: '${issuer}', directory: '${fromHere(identities)}' })  from '@hallpass/core/local-dev'`,
        ]),
    '\nNext, in other terminals:',
    '  npx hallpass run api.ts                  the API, guarded',
    '  npx hallpass run agent.ts                the agent, asking for a grant per call',
    `  npx hallpass audit show ${trail}   what happened`,
    '  npx hallpass revoke --everything --reason "drill"',
    '\nFor development only. Ctrl-C stops it.',
  ].join('\n')
}

export const devCommand: Command = {
  name: 'dev',
  summary: 'Run a broker on this machine, with local identities and everything in .hallpass',
  positionals: '[CONFIG.ts]',
  takes: [0, 1],
  options: { port: { type: 'string', value: 'NUMBER', help: 'Default: the port of a loopback issuer, or 8710' } },
  async run(args, output) {
    const [{ devConfig }, { runBroker }] = await Promise.all([import('./dev-config.ts'), import('./run-broker.ts')])
    const dev = devConfig(await loadConfig(args.positionals[0]), args.text('port'))
    const typed = { host: undefined, port: undefined }
    return runBroker(dev.loaded, { typed, output, isLogging: false }, (running) => output.warn(welcome(dev, running)))
  },
}
