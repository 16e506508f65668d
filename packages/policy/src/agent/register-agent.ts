import { MAX_TASK_SECONDS } from '@hallpass/core'
import { isCount, isName, isRecord } from '../definition/reader.ts'
import type { Problems } from '../definition/reader.ts'
import type { AgentRegistration, NonEmpty } from './agent.ts'
import { checkIdentity } from './check-identity.ts'
import { checkTriggers } from './check-triggers.ts'

const MEMBERS = ['owner', 'identity', 'approvers', 'revokeOn', 'maxOpenTasks', 'maxTaskSeconds', 'purposes']
const DEFAULT_OPEN_TASKS = 4
const DEFAULT_TASK_SECONDS = 3600

export interface AgentContext {
  readonly purposes: ReadonlySet<string>
  readonly problems: Problems
}

/** Checks one agent and fills in its defaults: no owner, approval path or triggers, no agent. */
export function registerAgent(
  id: string,
  input: unknown,
  { purposes, problems }: AgentContext,
): AgentRegistration | undefined {
  const where = `agent '${id}'`
  if (!isName(id)) problems.add(where, 'the id has to be printable ASCII of at most 256 characters')
  if (!isRecord(input)) {
    problems.add(where, 'has to be an object')
    return undefined
  }
  problems.closed(input, where, MEMBERS)
  const { owner, maxOpenTasks = DEFAULT_OPEN_TASKS, maxTaskSeconds = DEFAULT_TASK_SECONDS } = input
  if (!isName(owner)) problems.add(where, 'needs an owner: the accountable person or team')
  const identity = checkIdentity(input['identity'], where, problems)
  const approvers = problems.names(input['approvers'], `${where} approvers`)
  const revokeOn = checkTriggers(input['revokeOn'], `${where} revokeOn`, problems)
  const allowed =
    input['purposes'] === undefined ? [...purposes] : problems.chosen(input['purposes'], `${where} purposes`, purposes)
  if (!isCount(maxOpenTasks)) problems.add(where, "'maxOpenTasks' has to be a positive whole number")
  if (!isCount(maxTaskSeconds) || maxTaskSeconds > MAX_TASK_SECONDS) {
    problems.add(where, `'maxTaskSeconds' has to be a whole number from 1 to ${MAX_TASK_SECONDS}`)
  }
  if (!isName(owner) || !isCount(maxOpenTasks) || !isCount(maxTaskSeconds)) return undefined
  if (identity === undefined || approvers === undefined || revokeOn === undefined || allowed === undefined)
    return undefined
  return Object.freeze({
    id,
    owner,
    identity,
    approvers: approvers as NonEmpty<string>,
    revokeOn,
    maxOpenTasks,
    maxTaskSeconds,
    purposes: Object.freeze([...allowed]),
  })
}
