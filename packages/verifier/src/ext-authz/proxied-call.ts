import type { RefusalReason, Refused } from '@hallpass/core'
import { refuse } from '@hallpass/core'
import type { Answer } from '../refusal/answer.ts'
import { plainProblem } from '../refusal/answers.ts'
import type { IncomingCall } from '../request/incoming-call.ts'
import type { Verifier } from '../verifier.ts'
import type { FindAction } from './find-action.ts'
import { forwardedFields } from './forwarded-fields.ts'
import { HANDED_ON } from './handed-on.ts'

const NOT_OPEN: Refused<RefusalReason> = refuse('internal', 'The guard let the call through without a grant')

/** Asks the verifier about a call that a proxy holds back: 200 with the grant's names, or the refusal to pass on. */
export async function proxiedCall(verifier: Verifier, findAction: FindAction, call: IncomingCall): Promise<Answer> {
  const action = findAction(call.method, call.target)
  if (!action.ok) return plainProblem(action.reason)
  const verdict = await verifier.verify(action.value, call)
  switch (verdict.kind) {
    case 'admitted':
      await verdict.settle(HANDED_ON)
      return { status: 200, headers: { ...forwardedFields(verdict.grant), 'cache-control': 'no-store' }, body: '' }
    case 'refused':
      return verdict.answer()
    case 'repeated':
      // What the first one was answered is the upstream's; all that is known here is that it was handed on.
      return plainProblem('idempotency-done', { event: verdict.event })
    default:
      return plainProblem(NOT_OPEN.reason, { event: verdict.event })
  }
}
