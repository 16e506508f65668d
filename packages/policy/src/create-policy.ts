import { isPromise } from '@hallpass/core'
import { checkPolicy } from './check/check-policy.ts'
import type { Decision } from './decision/decision.ts'
import { evaluate } from './decision/evaluate.ts'
import { policyDigest } from './digest/policy-digest.ts'
import { explain } from './explain/explain.ts'
import { indexModel } from './index-model.ts'
import type { PolicyModel, PolicyParts } from './model.ts'
import type { Policy, RuleSummary } from './policy.ts'
import { readAsk } from './request/read-ask.ts'
import type { Rule } from './rule/rule.ts'

const models = new WeakMap<Policy, PolicyModel>()

/** What a policy is made of; undefined for an object that only looks like one. */
export const modelOf = (policy: Policy): PolicyModel | undefined => models.get(policy)

const summarize = ({ id, effect, actions, description }: Rule): RuleSummary =>
  Object.freeze(description === undefined ? { id, effect, actions } : { id, effect, actions, description })

const failed: Decision = Object.freeze({
  effect: 'deny',
  reason: 'policy-failed',
  detail: 'the policy could not be evaluated',
})

/** A policy over checked parts. */
export function createPolicy(parts: PolicyParts): Policy {
  const model = indexModel(parts)
  const { version, api, apis, purposes, environments, agentById } = model
  let digest: string | undefined
  const policy: Policy = {
    version,
    get digest() {
      digest ??= policyDigest(model)
      return digest
    },
    api,
    apis,
    purposes,
    environments,
    rules: Object.freeze(model.rules.map(summarize)),
    agents: Object.freeze(Object.assign(Object.create(null), Object.fromEntries(agentById))),
    agent: (id) => agentById.get(id),
    decide(request, options) {
      try {
        const ask = readAsk(model, request)
        if (!ask.ok) {
          const { reason, detail } = ask
          return { effect: 'deny', reason, ...(detail === undefined ? {} : { detail }) }
        }
        const decision = evaluate({ ask: ask.value, given: options?.facts ?? {} })
        return isPromise(decision) ? decision.catch(() => failed) : decision
      } catch {
        // Whatever went wrong here, it is no permit.
        return failed
      }
    },
    explain: (request, options) => explain(model, request, options),
    check: () => checkPolicy(model),
  }
  models.set(policy, model)
  return Object.freeze(policy)
}
