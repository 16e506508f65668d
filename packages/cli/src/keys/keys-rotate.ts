import { resolve } from 'node:path'
import type { Command } from '../command/command.ts'
import { OVERLAP_SECONDS, rotateKeyRing } from './key-ring.ts'

export const keysRotate: Command = {
  name: 'keys rotate',
  summary: 'Let the next key sign, and keep the old one published for as long as its tokens live',
  options: { dir: { type: 'string', value: 'DIRECTORY', help: 'The signing keys; default keys/broker' } },
  notes: 'A running `hallpass serve` takes the new key when it gets SIGHUP, or when it is restarted.',
  async run(args, output) {
    const directory = resolve(args.text('dir') ?? 'keys/broker')
    const { current, next, retired } = rotateKeyRing(directory, Date.now() / 1000)
    const old = retired.at(-1)?.publicJwk.kid
    output.say(
      `${current.kid}  signs now\n${next.kid}  is new, published, and signs after it\n` +
        `${old}  signs no more; published for ${OVERLAP_SECONDS} seconds\n\n` +
        'Tell a running broker with: kill -HUP PID',
    )
    output.result({ ok: true, current: current.kid, next: next.kid, retired: old })
    return 0
  },
}
