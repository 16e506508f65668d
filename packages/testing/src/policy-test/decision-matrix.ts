import type { ActionName, ActionOf, ApiSet, JsonObject, ParametersIn, ResourceOf } from '@hallpass/core'
import type { PolicyAnswer } from './policy-answer.ts'
import type { TestContext } from './test-context.ts'

/** Questions by the name their row gets. */
export type MatrixRows<S extends ApiSet, Agent extends string, Purpose extends string> = Readonly<
  Record<string, { readonly [N in ActionName<S>]: MatrixRow<S, N, Agent, Purpose> }[ActionName<S>]>
>

type MatrixRow<S extends ApiSet, N extends ActionName<S>, Agent extends string, Purpose extends string> = {
  readonly action: N
  readonly resource: ResourceOf<ActionOf<S, N>>
  readonly parameters?: ParametersIn<ActionOf<S, N>>
} & Partial<TestContext<Agent, Purpose>>

export interface MatrixColumns<Agent extends string, Purpose extends string> {
  readonly agents?: readonly Agent[]
  readonly purposes?: readonly Purpose[]
}

interface Asking {
  readonly agents: readonly string[]
  readonly purposes: readonly string[]
  readonly ask: (action: string, question: Row) => PolicyAnswer
}

interface Row extends Partial<TestContext> {
  readonly resource: string
  readonly parameters?: JsonObject
}

/** One line per question, one column per agent and purpose; a cell says `permit`, `approve` or why not. */
export function decisionMatrix(
  rows: Readonly<Record<string, Row & { readonly action: string }>>,
  asking: Asking,
): string {
  const { agents, purposes, ask } = asking
  const columns = agents.flatMap((agent) => purposes.map((purpose) => ({ agent, purpose })))
  const head = ['', ...columns.map(({ agent, purpose }) => `${agent}, ${purpose}`)]
  const body = Object.entries(rows).map(([name, { action, ...question }]) => [
    name,
    ...columns.map((column) => cell(ask(action, { ...column, ...question }))),
  ])
  const table = [head, ...body]
  const widths = head.map((_, index) => Math.max(...table.map((line) => line[index]?.length ?? 0)))
  return table
    .map((line) =>
      line
        .map((text, index) => text.padEnd(widths[index] ?? 0))
        .join(' | ')
        .trimEnd(),
    )
    .join('\n')
}

function cell({ decision }: PolicyAnswer): string {
  if (decision.effect !== 'deny') return decision.effect
  return decision.rule === undefined ? `deny ${decision.reason}` : `deny ${decision.rule}`
}
