import { resolve } from 'node:path'
import type { Command } from '../command/command.ts'
import { Failure, misused } from '../command/failure.ts'
import { newKeyPair, writePrivately } from './key-file.ts'
import { createKeyRing } from './key-ring.ts'

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

export const keysGenerate: Command = {
  name: 'keys generate',
  summary: 'Make signing keys for a broker, or a key for an agent, an API or an operator',
  options: {
    dir: { type: 'string', value: 'DIRECTORY', help: 'Signing keys of a broker; default keys/broker' },
    workload: { type: 'string', value: 'NAME', help: 'A key with which this workload proves who it is' },
    out: { type: 'string', value: 'FILE', help: 'Where its private key goes; default keys/NAME.jwk.json' },
  },
  notes:
    'Private keys are written with mode 0600 and never shown. For a workload the public key is printed: register it\n' +
    'with privateKeyJwt({ ..., jwks: { keys: [...] } }) in the configuration.',
  async run(args, output) {
    const workload = args.text('workload')
    if (workload === undefined) {
      if (args.text('out') !== undefined) throw misused('--out goes with --workload; signing keys take --dir')
      const directory = resolve(args.text('dir') ?? 'keys/broker')
      const { current, next } = createKeyRing(directory)
      output.say(
        `Signing keys are in ${directory}\n  ${current.kid}  signs\n  ${next.kid}  is published and signs after it`,
      )
      output.result({ ok: true, directory, current: current.kid, next: next.kid })
      return 0
    }
    if (args.text('dir') !== undefined) throw misused('--dir is for signing keys; a workload takes --out')
    if (!NAME.test(workload)) throw misused('--workload takes a plain name: letters, digits and . _ - only')
    const file = resolve(args.text('out') ?? `keys/${workload}.jwk.json`)
    const { privateJwk, publicJwk } = newKeyPair()
    try {
      writePrivately(file, `${JSON.stringify(privateJwk, null, 2)}\n`, { isNew: true })
    } catch (error) {
      throw new Failure(
        `${file} was not written: the system answered ${(error as { code?: string }).code ?? 'an error'}`,
      )
    }
    output.say(`The private key of ${workload} is in ${file}\nRegister this public key:\n${JSON.stringify(publicJwk)}`)
    output.result({ ok: true, file, publicJwk })
    return 0
  },
}
