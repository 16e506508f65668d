import type { Command } from '../command/command.ts'
import { loadConfig } from '../config/load-config.ts'

export const serveCommand: Command = {
  name: 'serve',
  summary: 'Run the broker of a configuration',
  positionals: '[CONFIG.ts]',
  takes: [0, 1],
  options: {
    host: { type: 'string', value: 'ADDRESS', help: 'Where to listen; default 127.0.0.1' },
    port: { type: 'string', value: 'NUMBER', help: 'Default: the port of a loopback issuer' },
  },
  notes:
    'Answers /healthz and /readyz. SIGTERM makes /readyz say 503, finishes what is running, writes the trail and ends; SIGHUP takes up rotated\n' +
    'keys. Signed checkpoints go to stdout as JSON lines: keep them where the trail is not. TLS is for the proxy in front.',
  async run(args, output) {
    const { runBroker } = await import('./run-broker.ts')
    const loaded = await loadConfig(args.positionals[0])
    const typed = { host: args.text('host'), port: args.text('port') }
    return runBroker(loaded, { typed, output }, ({ listening, trailFile, ledgerPlace }) => {
      const { issuer } = loaded.config
      const at = `http://${listening.host}:${listening.port}`
      output.warn(
        `Broker ${issuer} answers at ${at}\nLedger ${ledgerPlace}${trailFile === undefined ? '' : `\nTrail  ${trailFile}`}`,
      )
    })
  },
}
