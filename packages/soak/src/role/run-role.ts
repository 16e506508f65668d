import { runAgent } from './agent.ts'
import { runBroker } from './broker.ts'
import type { RoleTask } from './messages.ts'
import { tell } from './parent.ts'
import { runReplica } from './replica.ts'

/** What a process that the run started does. */
export async function runRole(task: RoleTask): Promise<void> {
  try {
    if (task.role === 'broker') await runBroker(task)
    else if (task.role === 'replica') await runReplica(task)
    else await runAgent(task)
  } catch (error) {
    tell({ kind: 'failed', what: error instanceof Error ? (error.stack ?? error.message) : String(error) })
    setTimeout(() => process.exit(1), 100)
  }
}
