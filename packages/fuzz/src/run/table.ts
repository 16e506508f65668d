import type { FuzzReport } from './run-fuzz.ts'
import type { Tally } from './tally.ts'

const HEADINGS = ['target', 'cases/s', 'cases', 'both', 'neither', 'stricter', 'differences']
const strictOf = ({ stricter }: Tally): number => Object.values(stricter).reduce((sum, times) => sum + times, 0)
const grouped = (number: number): string => number.toLocaleString('en-US')

/** The counts as a table for people, and how often each reason to be stricter came up. */
export function renderTable({ tallies, seed, seconds, cases }: FuzzReport): string {
  const rows = tallies.map((tally) => [
    tally.target,
    grouped(Math.round(tally.cases / Math.max(tally.seconds, 0.001))),
    grouped(tally.cases),
    grouped(tally.both),
    grouped(tally.neither),
    grouped(strictOf(tally)),
    grouped(tally.differences),
  ])
  const widths = HEADINGS.map((heading, at) => Math.max(heading.length, ...rows.map((row) => (row[at] ?? '').length)))
  const line = (cells: readonly string[]) =>
    cells.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join('  ')
  const reasons = new Map<string, number>()
  for (const { stricter } of tallies) {
    for (const [id, times] of Object.entries(stricter)) reasons.set(id, (reasons.get(id) ?? 0) + times)
  }
  const byReason = [...reasons]
    .toSorted((a, b) => b[1] - a[1])
    .map(([id, times]) => `  ${id.padEnd(22)} ${grouped(times).padStart(10)}`)
  return [
    line(HEADINGS),
    line(widths.map((width) => '-'.repeat(width))),
    ...rows.map(line),
    '',
    'stricter than the judge, by reason (docs/strictness.md)',
    ...byReason,
    '',
    `${grouped(cases)} cases in ${seconds.toFixed(0)} s, seed ${seed}`,
  ].join('\n')
}
