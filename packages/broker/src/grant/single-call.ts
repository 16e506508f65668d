import { MAX_TTL_SECONDS, type ToolCallRequest } from '@hallpass/core'
import type { Engine } from '../engine.ts'
import { learn, traceOf } from '../http/attempt.ts'
import type { OAuthRequest } from '../http/oauth-request.ts'
import { reject, type Step } from '../http/refusal.ts'
import { decide } from '../policy/decide.ts'
import { workloadClaims } from '../token/task-token.ts'
import { callIdOf } from './call-id.ts'
import { draftGrant, issueGrant } from './issue-grant.ts'
import { abandon, draftTask, recordOpened, taskFacts, type ProvenAgent } from './open-task.ts'

/** What a task has done before it did anything. */
const NOTHING_YET = { uses: {}, spent: {}, refusals: 0 }

/**
 * One call without a task: it gets one of its own, which counts like any other, holds this grant and ends with it.
 * Decided first, so that a refusal opens nothing.
 */
export async function singleCall(
  engine: Engine,
  proven: ProvenAgent,
  wish: { readonly call: ToolCallRequest; readonly purpose: string; readonly request: OAuthRequest },
): Promise<Step<object>> {
  const { call, purpose, request } = wish
  learn(request.attempt, () => ({
    purpose,
    aud: call.locations[0],
    action: call.actions[0],
    resource: call.identifier,
  }))
  const callId = callIdOf(request.form)
  if (!callId.ok) return callId
  learn(request.attempt, () => ({ call_id: callId.value }))
  const deadline = Math.floor(engine.clock()) + MAX_TTL_SECONDS
  const drafted = await draftTask(engine, proven, { entry: { purpose, deadline }, request })
  if (!drafted.ok) return drafted
  learn(request.attempt, () => taskFacts(drafted.value))

  const question = {
    task: { ...drafted.value, ...NOTHING_YET },
    call,
    identityClaims: workloadClaims(proven.workload.identity),
  }
  const permit = await decide(engine, question)
  if (!permit.ok) return permit
  const permitted = {
    task: drafted.value,
    call,
    permit: permit.value,
    notAfter: drafted.value.deadline,
    jkt: proven.jkt,
    ...(callId.value === undefined ? {} : { callId: callId.value }),
    ...(request.attempt.traced === undefined ? {} : { traced: request.attempt.traced }),
  }
  const draft = await draftGrant(engine, permitted)
  if (!draft.ok) return draft
  const task = { ...drafted.value, deadline: draft.value.record.exp }

  const opened = await engine.ledger.openTask(task, { maxOpenTasks: proven.agent.maxOpenTasks })
  if (!opened.ok) return reject('access_denied', opened)
  let issued: Step<object> | undefined
  try {
    await recordOpened(engine, task, { ...proven, ...traceOf(request.attempt) })
    issued = await issueGrant(engine, draft.value, { ...permitted, task })
    return issued
  } finally {
    if (!issued?.ok) await abandon(engine, task, 'its only grant was not issued')
  }
}
