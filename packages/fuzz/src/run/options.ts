import { parseArgs } from 'node:util'

export interface FuzzOptions {
  readonly seconds: number
  readonly seed: number
  readonly json: boolean
  /** Prints the written list instead. */
  readonly list: boolean
  /** Names of targets, or none for all. */
  readonly only: readonly string[]
  /** Stop after so many cases in all; 0 = when the time is over. */
  readonly cases: number
}

/** Reads the command line; a text where it makes no sense. */
export function readOptions(args: readonly string[], known: readonly string[]): FuzzOptions | string {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        minutes: { type: 'string' },
        seconds: { type: 'string' },
        seed: { type: 'string' },
        cases: { type: 'string' },
        only: { type: 'string' },
        json: { type: 'boolean', default: false },
        list: { type: 'boolean', default: false },
      },
    })
    const { minutes, seconds, seed, cases, only, json, list } = values
    const time = minutes === undefined ? Number(seconds ?? 60) : Number(minutes) * 60
    const names = only?.split(',') ?? []
    const unknown = names.find((name) => !known.includes(name))
    if (unknown !== undefined) return `There is no target "${unknown}". Targets: ${known.join(', ')}`
    const read = {
      seconds: time,
      seed: Number(seed ?? Date.now() % 0x1_0000_0000),
      json,
      list,
      only: names,
      cases: Number(cases ?? 0),
    }
    const isSound = time > 0 && Number.isInteger(read.seed) && Number.isInteger(read.cases) && read.cases >= 0
    return isSound ? read : '--minutes, --seconds, --seed and --cases take numbers'
  } catch (error) {
    return error instanceof Error ? error.message : 'The arguments make no sense'
  }
}
