import type { ChainHead, JwkSet, SourceChain, SourceTrust, TrailVerified } from '@hallpass/core'
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

const TRUST: Readonly<Record<NonNullable<SourceChain['vouched']>['trust'], string>> = {
  pinned: 'a key given here',
  introduced: 'a key that its identity introduced',
  trail: 'a key that only this trail names',
}

/** How far a source signed its chain, and with whose key. */
function vouchedWords({ vouched, head }: SourceChain): string {
  if (vouched === undefined)
    return 'Signed by the source: nothing. Whoever keeps this trail could have changed all of it'
  const { seq, time, line, jkt, trust, by } = vouched
  const whose = `${TRUST[trust]} (${jkt}${by === undefined ? '' : `, ${printable(by)}`})`
  const after = head.seq - seq
  const rest = after === 0 ? '' : `; the ${after} after it only agree${after === 1 ? 's' : ''} with itself`
  return `Signed by the source up to ${seq}, ${new Date(time * 1000).toISOString()}, in line ${line}, with ${whose}${rest}`
}

/** The chains of other processes: what is here of each, how far it was signed, and what is wrong with it. */
function sourceChains({ sources, unchained }: TrailVerified): string[] {
  return [
    ...sources.flatMap((chain) => [
      `  ${chain.broken === 0 ? '✓' : '✗'} ${printable(chain.source)}: its lines ${chain.first} to ${chain.head.seq} of ${chain.chain}, ${chain.lines} here${chain.broken === 0 ? '' : `, ${chain.broken} out of place`}`,
      `      ${vouchedWords(chain)}`,
      ...chain.breaks.map(({ line, detail }) => `      line ${line}: ${printable(detail, 500)}`),
    ]),
    ...Object.entries(unchained).map(
      ([source, lines]) => `  ${printable(source)}: ${lines} more in its name that the broker recorded itself`,
    ),
  ]
}

const THUMBPRINT = /^[A-Za-z0-9_-]{43}$/

/** Thumbprints separated by commas, or public keys of the identity provider of the APIs. */
async function sourceTrust(where: string): Promise<SourceTrust> {
  const names = where.split(',').map((name) => name.trim())
  return names.every((name) => THUMBPRINT.test(name)) ? { pins: names } : { identities: await trailKeys(where) }
}

function wholeTrail(verified: TrailVerified): string {
  const { lines, head, checkpoints, says } = verified
  const { signed, last, unsigned } = checkpoints
  const reach = last && `; the last vouches for line ${last.seq}, signed ${new Date(last.time * 1000).toISOString()}`
  return [
    `✓ ${lines} lines, none altered, missing, moved, repeated or replaced`,
    `  Signed checkpoints: ${signed}${reach ?? ''}${unsigned > 0 ? `; ${unsigned} that the signer did not sign` : ''}`,
    `  Head: ${head.seq}:${head.hash}`,
    ...sourceChains(verified),
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
    sources: {
      type: 'string',
      value: 'WHO',
      help: 'Whose keys sign for APIs: thumbprints with commas between, or the JWK set of their identity provider',
    },
    head: { type: 'string', value: 'HEAD', help: 'A head kept elsewhere: NUMBER:HASH, or a checkpoint' },
  },
  notes:
    'Exit code 0: the trail is whole, and so are the chains of the verifiers whose events are in it. 1: one is not, and\n' +
    'the bad lines are named.\n' +
    'Without --keys, keys of `hallpass init` or `hallpass dev` beside the file are used. Without any, the trail can only\n' +
    'be checked against itself. That its end was not cut off shows only against a --head kept elsewhere.\n' +
    'Events of APIs are checked against what each API signed itself. Without --sources, with the keys that the trail\n' +
    'names: whoever keeps the trail could have put in others.',
  async run(args, output) {
    const [file = ''] = args.positionals
    const where = args.text('keys')
    const keys = where === undefined ? keysBeside(file) : await trailKeys(where)
    const wanted = args.text('head')
    const expectHead = wanted === undefined ? undefined : await headFrom(wanted, keys)
    const who = args.text('sources')
    const sources = who === undefined ? undefined : await sourceTrust(who)
    const result = await verifyTrail(readTrail(file), {
      ...(keys && { keys }),
      ...(expectHead && { expectHead }),
      ...(sources && { sources }),
    })
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
