import type { SoakReport } from './report.ts'

const SHOWN = 10
const count = (value: number): string => value.toLocaleString('en-US')
const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(0)

/** The report for people: what was counted, then what must not be. */
export function render(report: SoakReport): string {
  const { uses, ends, trails, violations } = report
  const lines: [string, string][] = [
    [
      'ledger',
      `${report.ledger} (${report.store})${report.feed ? ' of the brokers; replicas count in memory and follow the feed' : ''}, seed ${report.seed}, ${report.seconds} s`,
    ],
    ['grants, requests', `${count(report.grants)}, ${count(report.requests)}`],
    ['handler runs', `${count(uses.runs)} (${count(uses.granted)} granted by the ledger)`],
    [
      'given back',
      `${count(uses.givenBack)} by handlers; ${count(uses.keptBack)} refused as too late, ${count(uses.unclearBack)} without an answer`,
    ],
    ...(report.feed ? [] : [usedLine(uses)]),
    ['spent to the last use', `${count(uses.spentToTheLast)} grants`],
    [
      'events',
      `${count(trails.recorded)} recorded = ${count(trails.made - trails.missing)} made + ${count(trails.unnoted)} of which a kill took the note; ` +
        `${count(trails.missing)} missing, ${count(trails.doubled)} doubled`,
    ],
    ...trails.sources.map(({ chain, lines: own, broken }): [string, string] => [
      '  chain of a replica',
      `${chain}: ${count(own)} lines, ${broken === 0 ? 'whole' : `BROKEN at ${broken} places`}`,
    ]),
    [
      'revocations',
      `${count(ends.acknowledged)} acknowledged; last handler after one: ${count(ends.worstDelayMs)} ms, last redeem: ${count(ends.worstAskMs)} ms`,
    ],
    ['refusals', entries(report.refused)],
    ['faults', entries(report.faults)],
    ...report.memory.map(({ name, rss, heap, seconds }): [string, string] => [
      `memory of ${name}`,
      `${seconds.toFixed(0)} s, first and last quarter: rss ${rss.map(mib).join(' -> ')} MiB, heap ${heap.map(mib).join(' -> ')} MiB`,
    ]),
  ]
  const width = Math.max(...lines.map(([name]) => name.length))
  const table = lines.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join('\n')
  const found = violations
    .slice(0, SHOWN)
    .map(({ rule, detail, grants, events, trail }) =>
      [
        `✗ ${rule}: ${detail}`,
        ...(grants.length > 0 ? [`    grants ${grants.slice(0, SHOWN).join(' ')}`] : []),
        ...(events === undefined ? [] : [`    events ${events.slice(0, SHOWN).join(' ')}`]),
        ...trail.map((line) => `    | ${line}`),
      ].join('\n'),
    )
  const more = violations.length > SHOWN ? [`and ${violations.length - SHOWN} more`] : []
  const kept = report.folder === undefined ? [] : [`kept in ${report.folder}`]
  return [
    table,
    ...found,
    ...more,
    violations.length === 0 ? '✓ no violation' : `${violations.length} violations`,
    ...kept,
  ].join('\n')
}

const usedLine = (uses: SoakReport['uses']): [string, string] => [
  'uses in the ledger',
  `${count(uses.usedInLedger)} = ${count(uses.runsOfRead)} runs - ${count(uses.givenBackOfRead + uses.goneOfRead)} given back ` +
    `+ ${count(uses.lost)} lost, never doubled (${count(uses.lostAfterRedeem)} of them after the redeem; ` +
    `${count(uses.readings)} grants read)`,
]

const entries = (of: Readonly<Record<string, number>>): string =>
  Object.entries(of)
    .map(([name, value]) => `${name} ${count(value)}`)
    .join(', ')
