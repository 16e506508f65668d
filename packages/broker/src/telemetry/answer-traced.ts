import type { BrokerOperation, Telemetry } from '@hallpass/core'
import { isPromise, parseTraceParent } from '@hallpass/core'
import type { Answer } from '../http/answer.ts'
import type { Attempt } from '../http/attempt.ts'
import { factsOf, learn } from '../http/attempt.ts'
import type { Names } from './names.ts'
import { TracedRequest } from './traced-request.ts'

interface Asked {
  readonly operation: BrokerOperation
  /** The `traceparent` that came along: a claim of the sender's. */
  readonly claim: string | null
  readonly attempt: Attempt
}

/** Answers one request under a span of its own, and says how long it took. */
export async function answerTraced(
  { telemetry, names }: { readonly telemetry: Telemetry; readonly names: Names },
  { operation, claim, attempt }: Asked,
  work: () => Promise<Answer>,
): Promise<Answer> {
  const since = performance.now()
  const start = { kind: 'server', parent: parseTraceParent(claim), remote: true } as const
  const span = telemetry.span(`hallpass.broker ${operation}`, start)
  const traced = new TracedRequest(span, operation)
  attempt.traced = traced
  if (traced.traceparent !== undefined) learn(attempt, () => ({ trace: traced.traceparent }))
  try {
    const running = span.run(work)
    const answer = isPromise(running) ? await running : running
    span.set({ ...names.known(factsOf(attempt)), 'http.response.status_code': answer.status })
    const outcome = answer.status < 400 ? 'ok' : 'refused'
    telemetry.duration('hallpass.broker.request.duration', (performance.now() - since) / 1000, {
      'hallpass.operation': traced.operation,
      'hallpass.outcome': answer.status >= 500 ? 'unavailable' : outcome,
    })
    return answer
  } finally {
    span.end()
  }
}
