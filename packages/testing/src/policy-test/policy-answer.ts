import type { Decision, DecisionRequest, Explanation } from '@hallpass/policy'

/** What a policy said to one question of a test, with the reasons. */
export interface PolicyAnswer {
  readonly effect: Decision['effect']
  readonly decision: Decision
  /** The decision in words, as `policy.explain` gives it; failed rules show what they threw. */
  readonly text: string
  readonly request: DecisionRequest
  readonly explanation: Explanation
}

const answers = new WeakSet<object>()

export const isPolicyAnswer = (value: unknown): value is PolicyAnswer =>
  typeof value === 'object' && value !== null && answers.has(value)

export function policyAnswer(request: DecisionRequest, explanation: Explanation): PolicyAnswer {
  const { decision } = explanation
  const thrown = explanation.rules.flatMap(({ rule, cause }) =>
    cause instanceof Error ? [`  ${rule} threw ${cause.message}`] : [],
  )
  const answer: PolicyAnswer = {
    effect: decision.effect,
    decision,
    text: [explanation.text, ...thrown].join('\n'),
    request,
    explanation,
  }
  answers.add(answer)
  return Object.freeze(answer)
}
