import { MockLanguageModelV4 } from 'ai/test'

type Generate = NonNullable<ConstructorParameters<typeof MockLanguageModelV4>[0]>['doGenerate']
type Generated = Awaited<ReturnType<Extract<Generate, (...args: never[]) => unknown>>>

/** One call the model makes; several in one list are made in one step. */
export interface ScriptedCall {
  readonly id: string
  readonly tool: string
  readonly input: unknown
}

const usage = {
  inputTokens: { total: 1, noCache: 1, cacheRead: undefined, cacheWrite: undefined },
  outputTokens: { total: 1, text: 1, reasoning: undefined },
}

const callsOf = (calls: readonly ScriptedCall[]): Generated => ({
  content: calls.map(({ id, tool, input }) => ({
    type: 'tool-call',
    toolCallId: id,
    toolName: tool,
    input: JSON.stringify(input),
  })),
  finishReason: { unified: 'tool-calls', raw: undefined },
  usage,
  warnings: [],
})

const end: Generated = {
  content: [{ type: 'text', text: 'done' }],
  finishReason: { unified: 'stop', raw: undefined },
  usage,
  warnings: [],
}

/** A model that makes these calls, step by step, and then ends; what it was told is in `prompts`. */
export function scriptedModel(...steps: (readonly ScriptedCall[])[]) {
  let next = 0
  const model = new MockLanguageModelV4({
    doGenerate: async () => {
      const calls = steps[next++]
      return calls === undefined ? end : callsOf(calls)
    },
  })
  return { model, prompts: () => JSON.stringify(model.doGenerateCalls.map(({ prompt }) => prompt)) }
}
