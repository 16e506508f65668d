import type { Scenario } from './scenario.ts'
import type { DoorName } from './stage/doors.ts'
import { Stage } from './stage/stage.ts'

/** Runs one scenario behind one door, on a stage of its own. Throws what the scenario throws. */
export async function runScenario(scenario: Scenario, door: DoorName): Promise<void> {
  const stage = new Stage(door)
  try {
    await scenario.run(stage)
  } finally {
    await stage.close()
  }
}
