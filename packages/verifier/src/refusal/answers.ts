import type { RefusalReason } from '@hallpass/core'
import { DETAIL_TYPE, PROBLEM_BASE } from '@hallpass/core'
import type { Answer } from './answer.ts'
import { problemOf } from './problem.ts'

const RETRY_AFTER_SECONDS = 1

/** What a caller would have to be granted for the request to pass. Names only, never a value it sent. */
export interface WantedDetail {
  readonly audience: string
  readonly action: string
  readonly resource: string
}

export interface RefusalFacts {
  readonly reason: RefusalReason
  /** The event in the trail that explains this refusal. */
  readonly event: string
  readonly wanted?: WantedDetail | undefined
  readonly nonce?: string | undefined
}

export type Answers = (facts: RefusalFacts) => Answer

/**
 * Makes the answers of one verifier: `WWW-Authenticate` (RFC 9449 section 7.1, RFC 9728 section 5.1) and an RFC 9457
 * body. Nothing in them comes from a token, and nothing says whether a grant of some id exists.
 */
export function createAnswers(algorithms: readonly string[], metadataUrl: string): Answers {
  const challenges = new Map<string, string>()
  const challengeOf = (error: string): string => {
    const known = challenges.get(error)
    if (known !== undefined) return known
    const parameters = [
      ...(error === '' ? [] : [`error="${error}"`]),
      `algs="${algorithms.join(' ')}"`,
      `resource_metadata="${metadataUrl}"`,
    ]
    const text = `DPoP ${parameters.join(', ')}`
    challenges.set(error, text)
    return text
  }

  return ({ reason, event, wanted, nonce }) => {
    const { status, error } = problemOf(reason)
    const details = wanted !== undefined && status === 403 ? { authorization_details: [detailOf(wanted)] } : {}
    const { headers, body } = plainProblem(reason, { event, ...details })
    const challenge = error === undefined ? {} : { 'www-authenticate': challengeOf(error) }
    return {
      status,
      headers: { ...headers, ...challenge, ...(nonce === undefined ? {} : { 'dpop-nonce': nonce }) },
      body,
    }
  }
}

/** The RFC 9457 body of a reason, without a challenge. */
export function plainProblem(reason: RefusalReason, members: Readonly<Record<string, unknown>> = {}): Answer {
  const { status, type, title } = problemOf(reason)
  const headers = { 'content-type': 'application/problem+json', 'cache-control': 'no-store' }
  return {
    status,
    headers: status === 503 ? { ...headers, 'retry-after': String(RETRY_AFTER_SECONDS) } : headers,
    body: JSON.stringify({ type: PROBLEM_BASE + type, title, status, ...members }),
  }
}

const detailOf = ({ audience, action, resource }: WantedDetail) => ({
  type: DETAIL_TYPE.toolCall,
  locations: [audience],
  actions: [action],
  identifier: resource,
})
