import type { Profiler } from 'node:inspector'
import { Session } from 'node:inspector/promises'
import type { Entry, Suite } from '../suite/suite.ts'
import { selfTimes } from './self-times.ts'
import type { SelfTime } from './self-times.ts'

export interface RowProfile {
  readonly profile: Profiler.Profile
  /** Functions by self time, preparation left out. */
  readonly times: readonly SelfTime[]
}

const OPERATIONS = 256
const WARM_UP_MS = 1500
const SECONDS = 5
const INTERVAL_MICROSECONDS = 100

/** Checks one row as for timing, then samples where its time goes. Throws RangeError for an id no suite has. */
export async function profileRow(suites: readonly Suite[], id: string): Promise<RowProfile> {
  const suite = suites.find(({ rows }) => rows.some((row) => row.id === id))
  if (suite === undefined) throw new RangeError(`No row is called ${id}.`)
  const open = await suite.open(new Set([id]))
  try {
    const entry = open.entries.find((each) => each.id === id)
    if (entry === undefined) throw new RangeError(`The suite did not bring ${id}.`)
    await entry.check()
    await repeat(entry, WARM_UP_MS)
    const session = new Session()
    session.connect()
    await session.post('Profiler.enable')
    await session.post('Profiler.setSamplingInterval', { interval: INTERVAL_MICROSECONDS })
    await session.post('Profiler.start')
    await repeat(entry, SECONDS * 1000)
    const { profile } = await session.post('Profiler.stop')
    session.disconnect()
    return { profile, times: selfTimes(profile, preparing.name) }
  } finally {
    await open.close?.()
  }
}

/** Its name keeps what it calls out of the figures. */
function preparing(entry: Entry): Promise<void> | void {
  return entry.work.prepare?.(OPERATIONS)
}

async function repeat(entry: Entry, milliseconds: number): Promise<void> {
  const end = performance.now() + milliseconds
  while (performance.now() < end) {
    await preparing(entry)
    await entry.work.run(OPERATIONS)
    await entry.work.after?.()
  }
}
