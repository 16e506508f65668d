import type { Row } from './row.ts'
import type { RowAim } from './row-aim.ts'

const round = (value: number): number => Number(value.toPrecision(4))

/** A line about something that is not a cost against another: the figure itself, in the unit of its aim. */
export function figure(
  { aim, ...row }: RowAim,
  value: number,
  more: Pick<Row, 'best' | 'max' | 'rounds' | 'microseconds' | 'detail'>,
): Row {
  return {
    id: row.id,
    ratio: round(value),
    aim,
    better: row.better,
    baseline: row.baseline,
    unit: `${row.baseline}s`,
    met: aim === null ? null : value <= aim,
    min: round(more.best),
    measure: row.measure,
    otherRatio: null,
    baselineMicroseconds: 0,
    note: row.work,
    ...more,
    best: round(more.best),
    max: round(more.max),
  }
}
