import { amountsFor, HallpassError, isPromise } from '@hallpass/core'
import type { ActionName, ActionOf, ApiSet, JsonObject, ParametersIn, ResourceOf } from '@hallpass/core'
import type { DecisionRequest, Policy, TaskSoFar } from '@hallpass/policy'
import { decisionMatrix } from './decision-matrix.ts'
import type { MatrixColumns, MatrixRows } from './decision-matrix.ts'
import { policyAnswer } from './policy-answer.ts'
import type { PolicyAnswer } from './policy-answer.ts'
import { countRules, policyCoverage } from './rule-coverage.ts'
import type { PolicyCoverage } from './rule-coverage.ts'
import { asLoaders, contextRequest } from './test-context.ts'
import type { TestContext } from './test-context.ts'

type NoMembers = { readonly [name in never]: never }
type ParametersPart<A> =
  NoMembers extends ParametersIn<A>
    ? { readonly parameters?: ParametersIn<A> }
    : { readonly parameters: ParametersIn<A> }

/** One question: what is asked, and what is different from the test's context. */
export type PolicyQuestion<S extends ApiSet, N extends ActionName<S>, Agent extends string, Purpose extends string> = {
  readonly resource: ResourceOf<ActionOf<S, N>>
} & ParametersPart<ActionOf<S, N>> &
  Partial<TestContext<Agent, Purpose>>

export interface PolicyTest<S extends ApiSet, Purpose extends string, Agent extends string> {
  /** Asks the policy. Throws `configuration-invalid` where a fact answers later: give it, or use `askAsync`. */
  ask<N extends ActionName<S>>(action: N, question: PolicyQuestion<S, N, Agent, Purpose>): PolicyAnswer
  /** The same where facts are loaded. */
  askAsync<N extends ActionName<S>>(action: N, question: PolicyQuestion<S, N, Agent, Purpose>): Promise<PolicyAnswer>
  /** Spends one use of what was permitted, so that later questions of this test see it in the task. */
  use(answer: PolicyAnswer): void
  /** The same questions by agent and purpose as a table of text, for a snapshot. */
  matrix(rows: MatrixRows<S, Agent, Purpose>, columns?: MatrixColumns<Agent, Purpose>): string
  /** Which rules the tests of this policy exercised so far, and with which answer. */
  coverage(): PolicyCoverage
}

/**
 * Asks a policy the way a broker does, without a broker.
 *
 * Checks rules and limits as the policy gives them. It does not check identities, ceilings, the ledger's counters of agents
 * or what a verifier does with a grant.
 */
export function policyTest<S extends ApiSet, Purpose extends string, Agent extends string>(
  policy: Policy<S, Purpose, Agent>,
  context: TestContext<NoInfer<Agent>, NoInfer<Purpose>>,
): PolicyTest<S, Purpose, Agent> {
  let done: Pick<TaskSoFar, 'uses' | 'spent'> = { uses: { ...context.task?.uses }, spent: { ...context.task?.spent } }

  const requestOf = (action: string, question: Question): readonly [DecisionRequest, TestContext] => {
    const { resource, parameters = {}, ...changes } = question
    const all: TestContext = { ...context, task: { ...context.task, ...done }, ...changes }
    return [{ ...contextRequest(all, policy.agent(all.agent)), action, resource, parameters }, all]
  }

  const askMaybe = (action: string, question: Question): PolicyAnswer | Promise<PolicyAnswer> => {
    const [request, { facts }] = requestOf(action, question)
    const explanation = policy.explain(request, { facts: asLoaders(facts) })
    if (!isPromise(explanation)) return finish(request, explanation)
    return explanation.then((later) => finish(request, later))
  }

  const finish = (request: DecisionRequest, explanation: PolicyAnswer['explanation']): PolicyAnswer => {
    countRules(policy, explanation)
    return policyAnswer(request, explanation)
  }

  const ask = (action: string, question: Question): PolicyAnswer => {
    const answer = askMaybe(action, question)
    if (!isPromise(answer)) return answer
    answer.catch(() => undefined)
    const message = `'${action}' needs a fact that is loaded. Give it in facts, or use askAsync().`
    throw new HallpassError('configuration-invalid', message)
  }

  return Object.freeze<PolicyTest<S, Purpose, Agent>>({
    ask: (action, question) => ask(action, question as unknown as Question),
    askAsync: async (action, question) => askMaybe(action, question as unknown as Question),
    use(answer) {
      done = spend(answer, done)
    },
    matrix(rows, columns) {
      const { agents = [context.agent], purposes = [context.purpose] } = columns ?? {}
      return decisionMatrix(rows as unknown as Parameters<typeof decisionMatrix>[0], { agents, purposes, ask })
    },
    coverage: () => policyCoverage(policy),
  })
}

interface Question extends Partial<TestContext> {
  readonly resource: string
  readonly parameters?: JsonObject
}

/** Counts one use the way a ledger does. */
function spend(
  { decision, request }: PolicyAnswer,
  done: Pick<TaskSoFar, 'uses' | 'spent'>,
): Pick<TaskSoFar, 'uses' | 'spent'> {
  const amounts = decision.effect === 'permit' ? amountsFor(decision.limits, request.parameters) : undefined
  if (decision.effect !== 'permit' || amounts === undefined || !amounts.ok) {
    throw new HallpassError('configuration-invalid', 'use() takes an answer that permits.')
  }
  const spent: Record<string, number> = { ...done.spent }
  for (const { id, per, parameter } of decision.limits) {
    if (per === 'task') spent[id] = (spent[id] ?? 0) + (parameter === undefined ? 1 : (amounts.value[parameter] ?? 0))
  }
  return { uses: { ...done.uses, [request.action]: (done.uses[request.action] ?? 0) + 1 }, spent }
}
