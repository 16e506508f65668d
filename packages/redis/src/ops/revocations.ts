import type { RevocationEntry, RevocationRead } from '@hallpass/core'
import type { Shards } from '../shard/shards.ts'
import { listOf } from './answers.ts'
import { secondsOf } from './times.ts'

/** What one slot has after a place. */
interface Part {
  readonly now: number
  readonly last: number
  readonly gone: boolean
  readonly stops: readonly string[]
  readonly lines: readonly { readonly seq: number; readonly text: string }[]
}

/**
 * Reads the log of revocations, every slot after its own place: the cursor is one place per slot. A line is counted and
 * written in one step, so no slot ever shows a line before a place it gave.
 */
export async function revocations(
  shards: Shards,
  { after, limit }: { readonly after?: string; readonly limit: number },
): Promise<RevocationRead> {
  const { incarnation } = shards
  const from = after === undefined ? shards.all.map(() => '') : placesOf(shards, after)
  if (from === undefined) return { state: 'gone' }
  const parts = await Promise.all(
    shards.all.map(async (shard, index) => {
      const keys = [shard.meta, shard.key('log')]
      return partOf(await shard.run('readLog', keys, [from[index] ?? '', String(Math.max(1, limit))]))
    }),
  )
  // Known once all of them have answered: a slot that changed its life meanwhile has another history.
  if (shards.incarnation !== incarnation && after === undefined) return revocations(shards, { limit })
  if (shards.incarnation !== incarnation || parts.some(({ gone }) => gone)) return { state: 'gone' }
  const entries = after === undefined ? unique(parts.flatMap(({ stops }) => stops)).map(entryOf) : []
  let left = limit
  let more = false
  const places = parts.map(({ last, lines }, index) => {
    const taken = lines.slice(0, left)
    left -= taken.length
    entries.push(...taken.map(({ text }) => entryOf(text)))
    if (lines.length === 0) return last
    const place = taken.at(-1)?.seq ?? Number(from[index] === '' ? (lines[0]?.seq ?? 1) - 1 : from[index])
    if (place < last) more = true
    return place
  })
  const at = Math.min(...parts.map(({ now }) => now))
  return { state: 'read', entries, cursor: `${shards.incarnation}.${places.join('-')}`, more, at: secondsOf(at) }
}

/** A stop stands in every slot; one line says it. */
const unique = (lines: readonly string[]): readonly string[] => {
  const byTarget = new Map(
    lines.map((line) => [JSON.stringify((JSON.parse(line) as { target: unknown }).target), line]),
  )
  return [...byTarget.values()]
}

function placesOf(shards: Shards, cursor: string): readonly string[] | undefined {
  const prefix = `${shards.incarnation}.`
  const places = cursor.startsWith(prefix) ? cursor.slice(prefix.length).split('-') : []
  const valid = places.length === shards.all.length && places.every((place) => /^(?:0|[1-9]\d{0,15})$/.test(place))
  return valid ? places : undefined
}

function partOf(answer: unknown): Part {
  const [now, last, state, stops, lines] = listOf(answer)
  return {
    now: Number(now),
    last: Number(last),
    gone: state !== 'read',
    stops: listOf(stops).map(String),
    lines: listOf(lines).map((line) => {
      const [, seq, text] = /^\d+:(\d+):(.*)$/s.exec(String(line)) ?? []
      return { seq: Number(seq), text: text ?? '' }
    }),
  }
}

function entryOf(text: string): RevocationEntry {
  const line = JSON.parse(text) as RevocationEntry
  const at = secondsOf(line.at)
  return line.kind === 'lift' ? { ...line, at, cutOff: secondsOf(line.cutOff) } : { ...line, at }
}
