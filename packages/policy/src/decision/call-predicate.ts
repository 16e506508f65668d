import { isPromise } from '@hallpass/core'
import type { Rule } from '../rule/rule.ts'
import { kindOf, throwSite } from './source-site.ts'

/** Why a rule could not be asked. Denies the request, whatever the rule's effect. */
export interface Failure {
  readonly failed: true
  readonly detail: string
  readonly at?: string
  /** What was thrown, for tests and explanations on the author's machine; not enumerable, so that no log shows it. */
  readonly cause?: unknown
}

/** Asks a rule's predicate. Only the literals `true` and `false` are answers. */
export function callPredicate({ when, site }: Rule, r: object): boolean | Failure {
  if (when === undefined) return true
  try {
    const answer = when(r)
    if (answer === true || answer === false) return answer
    if (isPromise(answer)) {
      // Nobody waits for it: without this its rejection would end the process.
      Promise.resolve(answer).catch(() => undefined)
      return failure('the predicate is asynchronous', site)
    }
    return failure(
      `the predicate answered with ${answer === null ? 'null' : typeof answer} instead of true or false`,
      site,
    )
  } catch (thrown) {
    return failure(`the predicate threw ${kindOf(thrown)}`, throwSite(thrown) ?? site, thrown)
  }
}

export function failure(detail: string, at?: string, cause?: unknown): Failure {
  const found: Failure = at === undefined ? { failed: true, detail } : { failed: true, detail, at }
  if (cause !== undefined) Object.defineProperty(found, 'cause', { value: cause, enumerable: false })
  return Object.freeze(found)
}
