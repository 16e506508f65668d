import type { RefusalReason, Refused } from '@hallpass/core'
import type { Answer } from '../refusal/answer.ts'
import type { Answers } from '../refusal/answers.ts'
import type { RefusedCall } from '../verdict.ts'
import type { Attempt } from './attempt.ts'

interface Told {
  readonly event: string
  readonly answers: Answers
  /** For the next proof, where this one had none that counts. */
  readonly nonce: string | undefined
}

/** A refusal that is on record. A class for the reason that `Attempt` is one; its answer is made when a door asks for it. */
export class RefusedVerdict implements RefusedCall {
  readonly kind = 'refused'
  readonly ok = false
  readonly reason: RefusalReason
  declare readonly detail?: string
  readonly event: string
  readonly #told: Told
  readonly #audience: string
  readonly #action: string
  readonly #resource: string

  constructor({ planned, resource }: Attempt, { reason, detail }: Refused<RefusalReason>, told: Told) {
    this.reason = reason
    if (detail !== undefined) this.detail = detail
    this.event = told.event
    this.#told = told
    this.#audience = planned.audience
    this.#action = planned.name
    this.#resource = resource
  }

  answer(): Answer {
    const { answers, event, nonce } = this.#told
    const resource = this.#resource
    const wanted = resource === '' ? undefined : { audience: this.#audience, action: this.#action, resource }
    return answers({ reason: this.reason, event, wanted, nonce })
  }
}
