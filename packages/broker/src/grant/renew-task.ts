import { ok, TYP, type TaskState } from '@hallpass/core'
import type { Engine } from '../engine.ts'
import { learn, traceOf } from '../http/attempt.ts'
import type { OAuthRequest } from '../http/oauth-request.ts'
import { reject, type Step } from '../http/refusal.ts'
import { draftTaskToken } from '../token/task-token.ts'
import { liveTask } from './live-task.ts'
import { taskAnswer, taskFacts, type ProvenAgent } from './open-task.ts'

/**
 * A new token for a task that is open: fresh identity, the same subject, issuer and key as at its start.
 * Nothing else moves: deadline, ceiling, user, counts and limits are what the ledger has.
 */
export async function renewTask(
  engine: Engine,
  { agent, workload, jkt }: ProvenAgent,
  { txn, request }: { readonly txn: string; readonly request: OAuthRequest },
): Promise<Step<object>> {
  const live = await liveTask(engine, txn)
  const { iss, sub } = workload.identity
  const isOwn = (task: TaskState): boolean =>
    task.clientId === agent.id && task.jkt === jkt && task.identity.iss === iss && task.identity.sub === sub
  // One answer for a task that does not exist and for somebody else's, so that ids cannot be tried out.
  if (!live.ok || !isOwn(live.value)) {
    const foreign = { reason: 'task-unknown', detail: 'not a task of this identity and key' } as const
    return reject('invalid_request', live.ok ? foreign : live)
  }
  const task = live.value
  learn(request.attempt, () => taskFacts(task))
  const draft = draftTaskToken(engine, task, workload.identity)
  if (!draft.ok) return reject('invalid_request', draft)
  const token = await engine.tokens.sign(draft.value.payload, TYP.accessToken)
  await engine.recorder.record('task.renewed', {
    ...taskFacts(task),
    jkt,
    exp: draft.value.exp,
    ...traceOf(request.attempt),
  })
  return ok(taskAnswer(task, token, { ...draft.value, now: engine.clock() }))
}
