import { verifyTrail } from '@hallpass/core'
import type { JwkSet, TrailLine } from '@hallpass/core'
import { readTrail } from '@hallpass/core/file-trail'
import type { MadeRecord } from '../world/records.ts'
import type { Run } from './uses.ts'
import type { Violation } from './violation.ts'

export interface TrailCounts {
  /** Events that a trail or spool had taken for good, as the processes that made them noted. */
  readonly made: number
  readonly recorded: number
  readonly missing: number
  readonly doubled: number
  /** In a trail, and killed before it was noted. */
  readonly unnoted: number
  readonly sources: readonly { readonly chain: string; readonly lines: number; readonly broken: number }[]
}

export interface TrailEvidence {
  readonly trails: readonly string[]
  readonly keys: JwkSet
  readonly made: readonly MadeRecord[]
  readonly runs: readonly Run[]
}

interface CheckedTrails {
  readonly counts: TrailCounts
  readonly violations: readonly Violation[]
  /** Lines by grant, for what is to be explained. */
  readonly linesOf: (jti: string) => readonly TrailLine[]
}

const TOLD = 20

/** Every chain holds, every event is there once, and every run was on record before its handler. */
export async function checkTrails({ trails, keys, made, runs }: TrailEvidence): Promise<CheckedTrails> {
  const violations: Violation[] = []
  const times = new Map<string, number>()
  const started = new Set<string>()
  const byGrant = new Map<string, TrailLine[]>()
  const sources: { chain: string; lines: number; broken: number }[] = []
  let own = 0
  for (const path of trails) {
    const checked = await verifyTrail(readTrail(path), { keys })
    if (!checked.ok) {
      const detail = `${path}: line ${checked.line} is ${checked.problem}: ${checked.detail}`
      violations.push({ rule: 'every trail verifies', detail, grants: [] })
      continue
    }
    for (const { source, chain, lines, broken, breaks, first } of checked.sources) {
      sources.push({ chain, lines, broken })
      if (broken === 0 && first === 1) continue
      const detail = `${source} in ${path}: starts at ${first}; ${breaks.map((each) => `line ${each.line}: ${each.detail}`).join('; ')}`
      violations.push({ rule: 'every source is whole', detail, grants: [] })
    }
    for await (const text of readTrail(path)) {
      const line = JSON.parse(text) as TrailLine
      times.set(line.id, (times.get(line.id) ?? 0) + 1)
      if (line.type.startsWith('trail.')) own += 1
      if (line.type === 'use.started') started.add(line.id)
      // Refusals are many, and say what was not done.
      if (line.jti === undefined || line.type === 'use.refused') continue
      const lines = byGrant.get(line.jti)
      if (lines === undefined) byGrant.set(line.jti, [line])
      else lines.push(line)
    }
  }
  const ids = new Set(made.map(({ id }) => id))
  const missing = [...ids].filter((id) => !times.has(id))
  const doubled = [...times].flatMap(([id, count]) => (count > 1 ? [id] : []))
  if (missing.length > 0) {
    const detail = `${missing.length} events were made and are in no trail`
    violations.push({ rule: 'events recorded = events made', detail, grants: [], events: missing.slice(0, TOLD) })
  }
  if (doubled.length > 0) {
    const detail = `${doubled.length} events are there twice`
    violations.push({ rule: 'every event once', detail, grants: [], events: doubled.slice(0, TOLD) })
  }
  const silent = runs.filter(({ event }) => !started.has(event))
  if (silent.length > 0) {
    violations.push({
      rule: 'recorded before done',
      detail: `${silent.length} handlers ran and no trail has their use.started`,
      grants: [...new Set(silent.map(({ jti }) => jti))].slice(0, TOLD),
      events: silent.slice(0, TOLD).map(({ event }) => event),
    })
  }
  const recorded = times.size - own
  const unnoted = recorded - (ids.size - missing.length)
  const counts = { made: ids.size, recorded, missing: missing.length, doubled: doubled.length, unnoted, sources }
  return { counts, violations, linesOf: (jti) => byGrant.get(jti) ?? [] }
}
