import type { ChainHead, JwkSet, TrailVerified } from '@hallpass/core'
import { printable, verifyCheckpoint, verifyTrail } from '@hallpass/core'
import { readTrail } from '@hallpass/core/file-trail'
import type { Command } from '../command/command.ts'
import { Failure, misused } from '../command/failure.ts'
import { keysBeside, trailKeys } from './trail-keys.ts'

const BARE_HEAD = /^(\d{1,15}):([A-Za-z0-9_-]{43})$/

async function headFrom(text: string, keys: JwkSet | undefined): Promise<ChainHead> {
  const [, seq, hash] = BARE_HEAD.exec(text) ?? []
  if (seq !== undefined && hash !== undefined) return { seq: Number(seq), hash }
  if (!text.includes('.')) throw misused('--head takes NUMBER:HASH, or a checkpoint as the broker printed it')
  if (keys === undefined) throw misused('--head with a checkpoint needs --keys to check its signature')
  const checkpoint = await verifyCheckpoint(text, keys.keys)
  if (!checkpoint.ok)
    throw new Failure(`The checkpoint given to --head does not hold: ${checkpoint.detail ?? checkpoint.reason}`)
  return checkpoint.value
}

/** The chains of other processes: one line each, and what is wrong with them. */
function sourceChains(sources: TrailVerified['sources']): string[] {
  return sources.flatMap(({ source, chain, lines, first, head, broken, breaks }) => [
    `  ${broken === 0 ? '✓' : '✗'} ${printable(source)}: its lines ${first} to ${head.seq} of ${chain}, ${lines} here${broken === 0 ? '' : `, ${broken} out of place`}`,
    ...breaks.map(({ line, detail }) => `      line ${line}: ${printable(detail, 500)}`),
  ])
}

function wholeTrail({ lines, head, checkpoints, sources, says }: TrailVerified): string {
  const { signed, last, unsigned } = checkpoints
  const reach = last && `; the last vouches for line ${last.seq}, signed ${new Date(last.time * 1000).toISOString()}`
  return [
    `✓ ${lines} lines, none altered, missing, moved, repeated or replaced`,
    `  Signed checkpoints: ${signed}${reach ?? ''}${unsigned > 0 ? `; ${unsigned} that the signer did not sign` : ''}`,
    `  Head: ${head.seq}:${head.hash}`,
    ...sourceChains(sources),
    `  ${says}`,
  ].join('\n')
}

export const auditVerify: Command = {
  name: 'audit verify',
  summary: 'Find any altered, missing, moved or repeated line of a trail',
  positionals: 'FILE',
  takes: [1, 1],
  options: {
    keys: { type: 'string', value: 'WHERE', help: 'Who signed: a key directory, a JWK set in a file, or ISSUER/jwks' },
    head: { type: 'string', value: 'HEAD', help: 'A head kept elsewhere: NUMBER:HASH, or a checkpoint' },
  },
  notes:
    'Exit code 0: the trail is whole, and so are the chains of the verifiers whose events are in it. 1: one is not, and\n' +
    'the bad lines are named.\n' +
    'Without --keys, keys of `hallpass init` or `hallpass dev` beside the file are used. Without any, the trail can only\n' +
    'be checked against itself. That its end was not cut off shows only against a --head kept elsewhere.',
  async run(args, output) {
    const [file = ''] = args.positionals
    const where = args.text('keys')
    const keys = where === undefined ? keysBeside(file) : await trailKeys(where)
    const wanted = args.text('head')
    const expectHead = wanted === undefined ? undefined : await headFrom(wanted, keys)
    const result = await verifyTrail(readTrail(file), { ...(keys && { keys }), ...(expectHead && { expectHead }) })
    output.result({ ...result, keys: where ?? (keys ? 'beside' : 'none') })
    output.say(
      result.ok ? wholeTrail(result) : `✗ Line ${result.line} is ${result.problem}: ${printable(result.detail, 500)}`,
    )
    if (result.ok && result.checkpoints.signed > 0 && where === undefined) {
      output.say('  The keys beside the file were used: whoever can write both can forge both. Give others with --keys')
    }
    return result.ok && result.sources.every(({ broken }) => broken === 0) ? 0 : 1
  },
}
