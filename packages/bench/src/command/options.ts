import { parseArgs } from 'node:util'

export interface BenchOptions {
  readonly json: boolean
  readonly quick: boolean
  /** Prefixes of row ids; empty = every row. */
  readonly only: readonly string[]
  /** A row to say where its time goes instead. */
  readonly profile: string | undefined
}

/** Reads the command line. Throws TypeError for an option it does not know. */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      profile: { type: 'string' },
    },
  })
  const only = values.only.flatMap((list) => list.split(',')).filter((prefix) => prefix !== '')
  return { json: values.json, quick: values.quick, only, profile: values.profile }
}

/** Whether a row was asked for. */
export function isChosen(id: string, only: readonly string[]): boolean {
  return only.length === 0 || only.some((prefix) => id.startsWith(prefix))
}
