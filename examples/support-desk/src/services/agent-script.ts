import type { MockLanguageModelV4 } from 'ai/test'

type Generate = NonNullable<ConstructorParameters<typeof MockLanguageModelV4>[0]>['doGenerate']
type Generated = Awaited<ReturnType<Extract<Generate, (...args: never[]) => unknown>>>

const usage = {
  inputTokens: { total: 10, noCache: 10, cacheRead: undefined, cacheWrite: undefined },
  outputTokens: { total: 10, text: 10, reasoning: undefined },
}

const toolCall = (id: number, toolName: string, input: unknown): Generated => ({
  content: [{ type: 'tool-call', toolCallId: `call-${id}`, toolName, input: JSON.stringify(input) }],
  finishReason: { unified: 'tool-calls', raw: undefined },
  usage,
  warnings: [],
})

/** What the model says, step by step: it reads, looks for a replacement, reserves it, refunds, overreaches once, and ends. */
export const script = (): (() => Promise<Generated>) => {
  const steps: readonly Generated[] = [
    toolCall(1, 'order_read', { resource: 'order:1001', parameters: {} }),
    toolCall(2, 'stock_read', { resource: 'stock:mug', parameters: {} }),
    toolCall(3, 'stock_reserve', { resource: 'stock:mug', parameters: { quantity: '1' } }),
    toolCall(4, 'refund_create', { resource: 'order:1001', parameters: { amount: '42.00', reason: 'damaged' } }),
    toolCall(5, 'refund_create', { resource: 'order:1001', parameters: { amount: '500.00', reason: 'goodwill' } }),
    {
      content: [{ type: 'text', text: 'Refunded 42.00 EUR and reserved a new mug. A larger refund needs a person.' }],
      finishReason: { unified: 'stop', raw: undefined },
      usage,
      warnings: [],
    },
  ]
  let next = 0
  return async () => {
    const step = steps[next++]
    if (step === undefined) throw new Error('The script is over')
    return step
  }
}
