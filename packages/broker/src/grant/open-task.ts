import { MAX_TASK_SECONDS, ok, randomId, TYP, type TaskEntry, type TaskRecord } from '@hallpass/core'
import type { AgentRegistration } from '@hallpass/policy'
import { completeAgent, type Engine } from '../engine.ts'
import type { OAuthRequest } from '../http/oauth-request.ts'
import { learn, traceOf } from '../http/attempt.ts'
import { reject, type Step } from '../http/refusal.ts'
import type { AuthenticatedWorkload } from '../identity/assertion.ts'
import type { OnBehalfOf } from '../identity/user-token.ts'
import { draftTaskToken } from '../token/task-token.ts'
import { checkCeiling } from './ceiling.ts'

/** An agent that proved its identity and the key it will use. */
export interface ProvenAgent {
  readonly agent: AgentRegistration
  readonly workload: AuthenticatedWorkload
  readonly jkt: string
}

/** The agent behind an authenticated workload; without owner, approvers or triggers it is nobody. */
export function agentOf(engine: Engine, { registrant }: AuthenticatedWorkload): Step<AgentRegistration> {
  if (registrant.kind !== 'agent')
    return reject('unauthorized_client', { reason: 'caller-not-allowed', detail: 'not an agent' })
  const agent = completeAgent(engine.policy, registrant.id)
  return agent ? ok(agent) : reject('invalid_client', { reason: 'agent-incomplete' })
}

/** Opens a task: purpose, ceiling, deadline and bounds; registered and recorded before its token leaves. */
export async function openTask(engine: Engine, proven: ProvenAgent, wish: TaskWish): Promise<Step<object>> {
  const { attempt } = wish.request
  learn(attempt, () => ({ purpose: wish.entry.purpose, note: wish.entry.note }))
  const drafted = await draftTask(engine, proven, wish)
  if (!drafted.ok) return drafted
  const task = drafted.value
  learn(attempt, () => taskFacts(task))
  const draft = draftTaskToken(engine, task, proven.workload.identity)
  if (!draft.ok) return reject('invalid_authorization_details', draft)

  const opened = await engine.ledger.openTask(task, { maxOpenTasks: proven.agent.maxOpenTasks })
  if (!opened.ok) return reject('access_denied', opened)
  try {
    const token = await engine.tokens.sign(draft.value.payload, TYP.accessToken)
    await recordOpened(engine, task, { ...proven, ...traceOf(attempt) })
    return ok(taskAnswer(task, token, { ...draft.value, now: engine.clock() }))
  } catch (fault) {
    // No token left, so nobody can use the task: it ends before anything else happens.
    await abandon(engine, task, 'the broker could not finish opening it')
    throw fault
  }
}

/** Ends a task whose token never left; recorded even if the trail did not take its opening. */
export async function abandon(engine: Engine, task: TaskRecord, why: string): Promise<void> {
  engine.recorder.note('task.ended', { ...taskFacts(task), reason: 'failed', detail: why })
  await engine.ledger.endTask(task.txn, 'failed', why)
}

/** What the holder of a task gets (RFC 6749 section 5.1, with `cnf` so that a downgrade to bearer shows). */
export function taskAnswer(
  task: Pick<TaskRecord, 'txn' | 'jkt'>,
  token: string,
  of: { entry: TaskEntry; exp: number; now: number },
): object {
  return {
    access_token: token,
    token_type: 'DPoP',
    expires_in: of.exp - Math.floor(of.now),
    authorization_details: [of.entry],
    cnf: { jkt: task.jkt },
    txn: task.txn,
  }
}

export async function recordOpened(
  engine: Engine,
  task: TaskRecord,
  { workload, trace }: Pick<ProvenAgent, 'workload'> & { readonly trace?: string },
): Promise<void> {
  await engine.recorder.record('task.opened', {
    ...taskFacts(task),
    ...(task.note === undefined ? {} : { note: task.note }),
    exp: task.deadline,
    jkt: task.jkt,
    policy: task.policy,
    ...(trace === undefined ? {} : { trace }),
    data: {
      identity: { kind: workload.identity.kind, ...task.identity },
      ...(task.ceiling ? { ceiling: { ...task.ceiling } } : {}),
      ...(task.onBehalfOf ? { on_behalf_of: { ...task.onBehalfOf } } : {}),
    },
  })
}

/** What every event of a task says. */
export function taskFacts(task: Pick<TaskRecord, 'txn' | 'clientId' | 'owner' | 'purpose' | 'onBehalfOf'>) {
  return {
    txn: task.txn,
    client_id: task.clientId,
    sub: task.onBehalfOf?.sub ?? task.clientId,
    owner: task.owner,
    purpose: task.purpose,
  }
}

export interface TaskWish {
  readonly entry: Pick<TaskEntry, 'purpose' | 'note' | 'ceiling' | 'deadline'>
  readonly request: OAuthRequest
}

/** Checks what the agent wants its task to be, and narrows the deadline to what the agent may have. */
export async function draftTask(
  engine: Engine,
  proven: ProvenAgent,
  { entry, request }: TaskWish,
): Promise<Step<TaskRecord>> {
  const { agent, workload, jkt } = proven
  const now = engine.clock()
  if (!engine.policy.purposes.includes(entry.purpose) || !agent.purposes.includes(entry.purpose)) {
    return reject('access_denied', { reason: 'purpose-unknown' })
  }
  const ceiling = checkCeiling(entry.ceiling, engine.actions)
  if (!ceiling.ok) return reject('invalid_authorization_details', ceiling)
  const latest = Math.floor(now) + Math.min(agent.maxTaskSeconds, MAX_TASK_SECONDS)
  const deadline = Math.min(entry.deadline ?? latest, latest)
  if (deadline <= now)
    return reject('invalid_authorization_details', { reason: 'task-expired', detail: 'the deadline is over' })
  const user = await subjectUser(engine, request, agent.id)
  if (!user.ok) return user
  return ok({
    txn: randomId('tsk_'),
    clientId: agent.id,
    owner: agent.owner,
    purpose: entry.purpose,
    ...(entry.note === undefined ? {} : { note: entry.note }),
    ...(entry.ceiling === undefined ? {} : { ceiling: entry.ceiling }),
    jkt,
    identity: { iss: workload.identity.iss, sub: workload.identity.sub },
    ...(user.value === undefined ? {} : { onBehalfOf: user.value }),
    openedAt: now,
    deadline,
    policy: { version: engine.policy.version, digest: engine.policy.digest },
    incarnation: engine.ledger.incarnation,
  })
}

/** The user an agent acts for, only from a token of a configured identity provider. */
async function subjectUser(
  engine: Engine,
  { form }: OAuthRequest,
  agent: string,
): Promise<Step<OnBehalfOf | undefined>> {
  const token = form.get('subject_token')
  const type = form.get('subject_token_type')
  if (token === undefined && type === undefined) return ok(undefined)
  if (token === undefined || type === undefined) {
    return reject('invalid_request', { reason: 'request-invalid', detail: 'half a subject token' })
  }
  const user = await engine.users.verify(token, type, agent)
  return user.ok ? user : reject('invalid_request', user)
}
