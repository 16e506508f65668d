import { resolve } from 'node:path'
import type { Command } from '../command/command.ts'
import { readKeyRing } from './key-ring.ts'

export const keysList: Command = {
  name: 'keys list',
  summary: 'Show which signing key signs, comes next, and is retired',
  options: { dir: { type: 'string', value: 'DIRECTORY', help: 'The signing keys; default keys/broker' } },
  async run(args, output) {
    const { current, next, retired } = readKeyRing(resolve(args.text('dir') ?? 'keys/broker'))
    const now = Date.now() / 1000
    const keys = [
      { kid: current.kid, state: 'signs', jwk: current },
      { kid: next.kid, state: 'next', jwk: next },
      ...retired.map(({ publicJwk, until }) => ({
        kid: publicJwk.kid,
        state: until > now ? 'retiring' : 'retired',
        until,
        jwk: publicJwk,
      })),
    ]
    const rows = keys.map((key) => {
      const end = 'until' in key ? `published until ${new Date(key.until * 1000).toISOString()}` : ''
      return `${key.kid}  ${key.state.padEnd(8)}  ${end}`.trimEnd()
    })
    output.say(rows.join('\n'))
    output.result({ ok: true, keys })
    return 0
  },
}
