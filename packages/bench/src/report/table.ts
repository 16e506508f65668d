import type { Row } from '../row/row.ts'

const mark = ({ met }: Row): string => (met === null ? ' ' : met ? '✓' : '✗')
const figure = (value: number): string =>
  value >= 100
    ? value.toFixed(0)
    : value >= 10
      ? value.toFixed(1)
      : value >= 1
        ? value.toFixed(2)
        : value.toPrecision(2)
const time = (microseconds: number): string =>
  microseconds >= 1000
    ? `${figure(microseconds / 1000)} ms`
    : microseconds >= 1
      ? `${figure(microseconds)} µs`
      : `${figure(microseconds * 1000)} ns`
const aimOf = ({ aim, better }: Row): string => (aim === null ? '' : `${better === 'lower' ? '≤' : '≥'} ${aim}`)

const HEADINGS = ['', 'row', 'ratio', 'aim', 'best', 'min - max', 'each', 'against']

/** The rows as a table for people. */
export function renderTable(rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    mark(row),
    row.id,
    figure(row.ratio),
    aimOf(row),
    figure(row.best),
    `${figure(row.min)} - ${figure(row.max)}`,
    time(row.microseconds),
    `${row.baseline} (${time(row.baselineMicroseconds)})`,
  ])
  const widths = HEADINGS.map((heading, column) =>
    Math.max(heading.length, ...cells.map((line) => (line[column] ?? '').length)),
  )
  const isNumber = (column: number) => column >= 2 && column <= 6
  const line = (texts: readonly string[]) =>
    texts
      .map((text, column) => (isNumber(column) ? text.padStart(widths[column] ?? 0) : text.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd()
  return [line(HEADINGS), line(widths.map((width) => '-'.repeat(width))), ...cells.map(line)].join('\n')
}

/** One sentence on the aims. */
export function renderVerdict(rows: readonly Row[]): string {
  const aimed = rows.filter(({ met }) => met !== null)
  const missed = aimed.filter(({ met }) => met === false)
  if (aimed.length === 0) return 'No row with an aim was run.'
  if (missed.length === 0) return `All ${aimed.length} aims are met.`
  return `${aimed.length - missed.length} of ${aimed.length} aims are met; missed: ${missed.map(({ id }) => id).join(', ')}.`
}
