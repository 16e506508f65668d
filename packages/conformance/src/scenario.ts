import type { Stage } from './stage/stage.ts'

/** One thing tried, for real, and what must come of it. */
export interface Scenario {
  /** Ids of the requirements it exercises. */
  readonly verifies: readonly string[]
  readonly title: string
  /** `doors`: behind every door. `once`: what it shows has nothing to do with the door. */
  readonly on: 'doors' | 'once'
  /** Throws where the promise is broken. */
  readonly run: (stage: Stage) => Promise<void>
}

export const atEachDoor = (verifies: readonly string[], title: string, run: Scenario['run']): Scenario => ({
  verifies,
  title,
  on: 'doors',
  run,
})

export const once = (verifies: readonly string[], title: string, run: Scenario['run']): Scenario => ({
  verifies,
  title,
  on: 'once',
  run,
})
