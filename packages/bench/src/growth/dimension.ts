import type { RowAim } from '../row/row-aim.ts'
import type { Entry, Suite } from '../suite/suite.ts'
import type { Work } from '../timing/work.ts'

/** Work with so many of something around it. */
export interface Grown {
  readonly work: Work
  readonly close?: () => Promise<void>
}

/** Something of which there may be few or many. */
export interface Dimension {
  readonly id: string
  /** Of what: "live grants". */
  readonly of: string
  /** What one operation is. */
  readonly work: string
  /** The smallest first: the others are held against it. */
  readonly sizes: readonly [number, ...number[]]
  open(size: number): Promise<Grown> | Grown
}

const rowId = ({ id }: Dimension, size: number): string => `${id}.${size}`

const rowOf = (dimension: Dimension, size: number): RowAim => ({
  id: rowId(dimension, size),
  aim: null,
  better: 'lower',
  measure: 'cpu',
  baseline: `${dimension.sizes[0]} ${dimension.of}`,
  work: `${dimension.work}; ${size} ${dimension.of}`,
})

/** How the cost of one operation grows along a dimension: one row for each size but the smallest. */
export function growing(dimension: Dimension): Suite {
  const [least, ...larger] = dimension.sizes
  return {
    rows: larger.map((size) => rowOf(dimension, size)),
    onlyWhenNamed: true,
    pace: {
      full: { rounds: 25, slice: 12, baselineSlice: 12, warmUp: 300 },
      quick: { rounds: 9, slice: 8, baselineSlice: 8, warmUp: 100 },
    },
    async open(chosen) {
      const small = await dimension.open(least)
      const opened = [small]
      const entries: Entry[] = []
      for (const size of larger.filter((candidate) => chosen.has(rowId(dimension, candidate)))) {
        const grown = await dimension.open(size)
        opened.push(grown)
        // Each operation looks at its own outcome: one that is not permitted fails the run.
        const check = async (): Promise<void> => {
          for (const { work } of [small, grown]) {
            await work.prepare?.(8)
            await work.run(8)
            await work.after?.()
          }
        }
        entries.push({ id: rowId(dimension, size), check, work: grown.work, baseline: small.work })
      }
      return {
        entries,
        async close() {
          for (const { close } of opened) await close?.()
        },
      }
    },
  }
}
