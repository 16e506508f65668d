import type { JwkSet } from '../identity/identity.ts'
import type { ChainHead } from './chain.ts'
import type { CheckpointProblem } from './checkpoint.ts'
import { verifyCheckpoint } from './checkpoint.ts'
import type { TrailLine } from './event.ts'
import { GENESIS, readLine } from './line.ts'
import type { SourceChain } from './source-chain-report.ts'
import type { SourceTrust } from './source-vouches.ts'
import { createSourceChainReport } from './source-chain-report.ts'

export type TrailProblem =
  | 'altered' // not the bytes that were written: edited, re-encoded, torn by a crash
  | 'missing' // lines before this one are gone
  | 'repeated' // a line that was there before
  | 'replaced' // the right number, after another line than the one above
  | 'contradicted' // a signed checkpoint says another hash
  | 'truncated' // the trail ends before the expected head
  | CheckpointProblem

export interface TrailVerified {
  readonly ok: true
  readonly lines: number
  readonly head: ChainHead
  readonly checkpoints: {
    readonly signed: number
    /** The newest one that was checked against a key, with the number of its line in the file. */
    readonly last?: ChainHead & { readonly time: number; readonly line: number }
    /** Events that only say that the signer did not answer. */
    readonly unsigned: number
  }
  /** Lines that no checked signature vouches for. */
  readonly uncovered: number
  /** The chains of other processes whose events are in it: each with its breaks, which do not break this trail. */
  readonly sources: readonly SourceChain[]
  /** Lines in the name of a source that are in no chain of it: the broker recorded them, and nobody else vouches for them. */
  readonly unchained: Readonly<Record<string, number>>
  /** What this result proves, and what it does not, in words. */
  readonly says: string
}

export interface TrailBroken {
  readonly ok: false
  /** The first line that does not hold, counted from 1. For `truncated` the line after the last. */
  readonly line: number
  readonly problem: TrailProblem
  readonly detail: string
}

export interface VerifyTrailOptions {
  /** Public keys of the checkpoint signer. Without them signatures are counted as not there. */
  readonly keys?: JwkSet
  /** A head kept elsewhere (a published checkpoint, once checked): the trail must reach it and agree with it. */
  readonly expectHead?: ChainHead
  /** Whose word to take for the keys with which other processes signed their chains. Without it: the trail's own. */
  readonly sources?: SourceTrust
}

type Lines = Iterable<string | TrailLine> | AsyncIterable<string | TrailLine>

const broken = (line: number, problem: TrailProblem, detail: string): TrailBroken => ({
  ok: false,
  line,
  problem,
  detail,
})

/** Where a genuine line stands in the chain, or why it does not. */
function checkPlace(line: TrailLine, after: ChainHead, number: number): TrailBroken | undefined {
  const expected = after.seq + 1
  if (line.seq > expected) {
    const gone = line.seq - expected
    return broken(
      number,
      'missing',
      `${gone} ${gone === 1 ? 'line' : 'lines'} before number ${line.seq} are not here: removed or moved`,
    )
  }
  if (line.seq < expected) {
    return broken(
      number,
      'repeated',
      `Number ${line.seq} was due before number ${after.seq}: copied, moved or from another trail`,
    )
  }
  if (line.prev === after.hash) return undefined
  return broken(number, 'replaced', `It does not follow the line above: that line or this one comes from another trail`)
}

function jwsOf(line: TrailLine): string | undefined {
  const data = line.data
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return undefined
  const jws = (data as Readonly<Record<string, unknown>>)['jws']
  return typeof jws === 'string' ? jws : undefined
}

const says = (uncovered: number, last: boolean, expected: boolean): string =>
  [
    last
      ? `Everything up to the last signed checkpoint is as it was signed`
      : 'No signature was checked: this proves only that the file agrees with itself, and whoever can write it can rewrite it',
    last && uncovered > 0 ? `what comes after it (${uncovered}) only agrees with itself` : '',
    expected
      ? 'the head you expected is in it; what was recorded after that head may be cut off'
      : 'that nothing was cut off at the end is proved only up to a checkpoint kept elsewhere: compare with --head',
  ]
    .filter((part) => part !== '')
    .join('; ')

/**
 * Reads a trail from its first line and finds the first that was altered, removed, moved, repeated or replaced.
 *
 * Proves the order and content of every line as far as the last checkpoint whose signature fits `keys`. Whoever holds
 * the file but not the signer's key can only cut off its end, and only `expectHead`, kept elsewhere, shows that.
 *
 * The chains of other processes, whose events name their place in them, are checked as well: see `sources`.
 */
export async function verifyTrail(
  lines: Lines,
  { keys, expectHead, sources: trust }: VerifyTrailOptions = {},
): Promise<TrailVerified | TrailBroken> {
  const hashes: string[] = []
  let head: ChainHead = { seq: 0, hash: GENESIS }
  let last: TrailVerified['checkpoints']['last']
  let signed = 0
  let unsigned = 0
  const sources = createSourceChainReport(trust)
  for await (const given of lines) {
    const number = head.seq + 1
    const line = readLine(typeof given === 'string' ? given : JSON.stringify(given))
    if (line === undefined) return broken(number, 'altered', 'Its bytes are not the ones that were recorded')
    const misplaced = checkPlace(line, head, number)
    if (misplaced) return misplaced
    head = { seq: line.seq, hash: line.hash }
    hashes.push(line.hash)
    sources.see(line, number)
    if (line.type === 'trail.vouched') await sources.vouch(line, number)
    if (line.type !== 'trail.checkpoint') continue
    const jws = jwsOf(line)
    if (jws === undefined) {
      unsigned += 1
      continue
    }
    if (keys === undefined) continue
    const checkpoint = await verifyCheckpoint(jws, keys.keys)
    if (!checkpoint.ok) return broken(number, checkpoint.reason, checkpoint.detail ?? '')
    const { seq, hash, time, source } = checkpoint.value
    if (hashes[seq - 1] !== hash || source !== line.source) {
      return broken(
        number,
        'contradicted',
        `The checkpoint in it was signed over another line ${seq} than the one here`,
      )
    }
    signed += 1
    last = { seq, hash, time, line: number }
  }
  if (expectHead !== undefined && head.seq < expectHead.seq) {
    return broken(
      head.seq + 1,
      'truncated',
      `The trail ends at number ${head.seq} and was known to reach ${expectHead.seq}`,
    )
  }
  if (expectHead !== undefined && hashes[expectHead.seq - 1] !== expectHead.hash) {
    return broken(expectHead.seq, 'contradicted', `Line ${expectHead.seq} is not the one you kept the hash of`)
  }
  const uncovered = head.seq - (last?.seq ?? 0)
  return {
    ok: true,
    lines: head.seq,
    head,
    checkpoints: { signed, unsigned, ...(last && { last }) },
    uncovered,
    sources: sources.chains(),
    unchained: sources.unchained(),
    says: says(uncovered, last !== undefined, expectHead !== undefined),
  }
}
