import { Decimal } from '@hallpass/core'
import type { RefusalReason } from '@hallpass/core'
import { isPolicyAnswer } from './policy-answer.ts'
import type { PolicyAnswer } from './policy-answer.ts'

/** What a permit has to say, as far as a test cares. */
export interface ExpectedPermit {
  readonly ttlSeconds?: number
  /** Uses of the grant. */
  readonly calls?: number
  /** Caps per task by parameter, compared as numbers: `{ amount: '200.00' }`. */
  readonly totals?: Readonly<Record<string, string>>
  readonly resource?: 'exact' | 'class'
  /** Every rule that matched, in any order. */
  readonly rules?: readonly string[]
}

export interface ExpectedApproval {
  readonly rule?: string
  /** Everyone who may approve, in any order. */
  readonly approvers?: readonly string[]
}

interface Verdict {
  readonly pass: boolean
  readonly message: () => string
}

/** Passes where the policy permits, and the grant is as narrow as expected. */
export function toPermit(received: unknown, expected: ExpectedPermit = {}): Verdict {
  return judge(received, 'permit', (answer) =>
    answer.effect === 'permit' ? permitMismatches(answer, expected) : [`the policy did not permit`],
  )
}

/** Passes where the policy denies, for this reason or by this rule. */
export function toDeny(received: unknown, reasonOrRule?: RefusalReason | (string & {})): Verdict {
  return judge(received, `deny${reasonOrRule === undefined ? '' : ` ${reasonOrRule}`}`, ({ decision }) => {
    if (decision.effect !== 'deny') return ['the policy did not deny']
    if (reasonOrRule === undefined || decision.reason === reasonOrRule || decision.rule === reasonOrRule) return []
    return [`it denied for ${decision.reason}${decision.rule === undefined ? '' : ` by ${decision.rule}`}`]
  })
}

/** Passes where the policy asks for a person. */
export function toRequireApproval(received: unknown, expected: ExpectedApproval = {}): Verdict {
  return judge(received, 'require approval', ({ decision }) => {
    if (decision.effect !== 'approve') return ['the policy did not ask for approval']
    const { rule, approvers } = expected
    return [
      ...(rule === undefined || decision.rule === rule ? [] : [`the rule is ${decision.rule}, not ${rule}`]),
      ...(approvers === undefined || isSameSet(decision.approvers, approvers)
        ? []
        : [`the approvers are ${decision.approvers.join(', ')}`]),
    ]
  })
}

export const policyMatchers = { toPermit, toDeny, toRequireApproval }

function judge(received: unknown, what: string, check: (answer: PolicyAnswer) => readonly string[]): Verdict {
  if (!isPolicyAnswer(received)) {
    return { pass: false, message: () => 'expected what policyTest(...).ask() answers (await it after askAsync)' }
  }
  const mismatches = check(received)
  const pass = mismatches.length === 0
  return {
    pass,
    message: () =>
      [
        `expected the policy ${pass ? 'not ' : ''}to ${what}`,
        ...mismatches.map((line) => `  ${line}`),
        '',
        received.text,
      ].join('\n'),
  }
}

function permitMismatches({ decision }: PolicyAnswer, expected: ExpectedPermit): readonly string[] {
  if (decision.effect !== 'permit') return []
  const { ttlSeconds, calls, resource, rules, totals = {} } = expected
  const given = decision.limits.find(({ per, id }) => per === 'grant' && id === 'calls')?.max
  return [
    ...differs('ttlSeconds', decision.ttlSeconds, ttlSeconds),
    ...differs('calls', given, calls),
    ...differs('resource', decision.resource, resource),
    ...(rules === undefined || isSameSet(decision.rules, rules) ? [] : [`the rules are ${decision.rules.join(', ')}`]),
    ...Object.entries(totals).flatMap(([parameter, cap]) => totalMismatch(decision.limits, parameter, cap)),
  ]
}

const differs = (
  name: string,
  given: string | number | undefined,
  expected: string | number | undefined,
): readonly string[] =>
  expected === undefined || given === expected ? [] : [`${name} is ${String(given)}, not ${String(expected)}`]

type Limits = readonly {
  readonly per: string
  readonly parameter?: string
  readonly max: number
  readonly scale?: number
}[]

function totalMismatch(limits: Limits, parameter: string, cap: string): readonly string[] {
  const found = limits.filter((limit) => limit.per === 'task' && limit.parameter === parameter)
  if (found.length === 0) return [`there is no total over ${parameter} per task`]
  const isThere = found.some(({ max, scale = 0 }) => Decimal.of(cap).unitsAt(scale) === BigInt(max))
  return isThere ? [] : [`no total over ${parameter} per task is ${cap}`]
}

const isSameSet = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((name) => other.includes(name))
