import { generateText, stepCountIs, tool } from 'ai'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { desk, task } from '../../test/desk.ts'
import { scriptedModel } from '../../test/scripted-model.ts'
import type { ScriptedCall } from '../../test/scripted-model.ts'
import { currentGrant } from '../call/call-context.ts'
import { guardTools } from './guard-tools.ts'

const inputSchema = z.object({ order: z.string(), amount: z.string() })
const refundGuard = {
  action: 'refund.create',
  resource: ({ order }: { order: string }) => `order:${order}` as const,
  parameters: ({ amount }: { amount: string }) => ({ amount }),
} as const
const url = 'https://orders.test/orders/1/refund'
const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"amount":"1.00"}' }

const refundTool = (execute: (input: { order: string; amount: string }) => unknown) =>
  tool({ description: 'Refunds', inputSchema, execute: async (input) => execute(input) })

const call = (id: string, order: string, amount: string): ScriptedCall => ({
  id,
  tool: 'refund',
  input: { order, amount },
})

async function run(tools: Parameters<typeof generateText>[0]['tools'], ...steps: ScriptedCall[][]) {
  const { model, prompts } = scriptedModel(...steps)
  const result = await generateText({ model, tools: tools ?? {}, prompt: 'go', stopWhen: stepCountIs(10) })
  const parts = result.steps.flatMap((step) =>
    step.content.filter((part) => part.type === 'tool-result' || part.type === 'tool-error'),
  )
  return { parts, prompts: prompts() }
}

describe('guardTools()', () => {
  test('guardTools() runs a tool under its own grant', async () => {
    const { client, world } = desk()
    const seen: unknown[] = []
    await client.task(task, async (task) => {
      const refund = refundTool(async () => {
        const grant = currentGrant()
        seen.push(grant?.action, grant?.resource, grant?.task === task.txn)
        return (await grant?.fetch(url, init))?.status
      })
      return run(guardTools(task, { refund }, { refund: refundGuard }), [call('c-1', '1', '1.00')])
    })
    expect(seen).toEqual(['refund.create', 'order:1', true])
    expect(world.handled).toHaveLength(1)
    expect(currentGrant()).toBeUndefined()
  })

  test('guardTools() never runs a tool that is refused, and tells the model why in safe words', async () => {
    const { client } = desk()
    let ran = 0
    const outcome = await client.task(task, (task) => {
      const refund = refundTool(() => (ran += 1))
      return run(guardTools(task, { refund }, { refund: refundGuard }), [call('c-1', '1', '60.00')])
    })
    expect(ran).toBe(0)
    expect(outcome).toMatchObject({ parts: [{ type: 'tool-error', error: { name: 'ToolRefused' } }] })
    const told = 'prompts' in outcome ? outcome.prompts : ''
    expect(told).toContain('not allowed')
    expect(told).not.toMatch(/eyJ|no-rule|small-refund|DPoP/)
  })

  test.each<[string, (setTap: ReturnType<typeof desk>['setTap']) => void]>([
    ['the broker is down', (setTap) => setTap(() => Promise.reject(new Error('down')))],
    ['the broker answers nonsense', (setTap) => setTap(async () => new Response('ok'))],
  ])('guardTools() never runs a tool when %s', async (_name, breakIt) => {
    const { client, setTap } = desk({ brokerTimeoutMs: 20 })
    let ran = 0
    await client.task(task, (task) => {
      breakIt(setTap)
      const refund = refundTool(() => (ran += 1))
      return run(guardTools(task, { refund }, { refund: refundGuard }), [call('c-1', '1', '1.00')])
    })
    expect(ran).toBe(0)
  })

  test('guardTools() gives twenty parallel calls their own grants', async () => {
    const { client, world } = desk()
    const orders = Array.from({ length: 20 }, (_, index) => String(index))
    const outcome = await client.task(task, (task) => {
      const refund = refundTool(async ({ order }) => {
        await task.call('order.read', { resource: `order:${order}` })
        return currentGrant()?.resource === `order:${order}`
      })
      const calls = orders.map((order) => call(`c-${order}`, order, '1.00'))
      return run(guardTools(task, { refund }, { refund: refundGuard }), calls)
    })
    expect(outcome).toMatchObject({ parts: orders.map(() => ({ type: 'tool-result', output: true })) })
    expect(world.handled).toHaveLength(20)
  })

  test('guardTools() lets task.fetch and task.call inside a tool go under its grant', async () => {
    const { client, world, to } = desk()
    await client.task(task, (task) => {
      const refund = refundTool(async () => (await task.fetch(url, init)).status)
      return run(guardTools(task, { refund }, { refund: refundGuard }), [call('c-1', '1', '1.00')])
    })
    expect(to('/token').filter(({ body }) => body.includes('token-exchange'))).toHaveLength(1)
    expect(world.handled).toHaveLength(1)
  })

  test('guardTools() makes a tool call that is run again the same use', async () => {
    const { client, world } = desk()
    await client.task(task, async (task) => {
      const refund = refundTool(async () => (await currentGrant()?.fetch(url, init))?.status)
      const tools = guardTools(task, { refund }, { refund: refundGuard })
      for (const _ of [1, 2]) await run(tools, [call('c-1', '1', '1.00')])
      return true
    })
    expect(world.handled).toHaveLength(1)
  })

  test('guardTools() keeps streaming tools streaming', async () => {
    const { client } = desk()
    const generator = tool({
      inputSchema,
      async *execute() {
        yield currentGrant()?.resource
        await Promise.resolve()
        yield 'last'
      },
    })
    const streamed = async function* () {
      yield currentGrant()?.action
    }
    const plain = { ...generator, execute: (_input: { order: string; amount: string }) => streamed() }
    const outcome = await client.task(task, (task) => {
      const tools = guardTools(
        task,
        { generator, plain },
        { generator: refundGuard, plain: { ...refundGuard, streaming: true } },
      )
      const input = { order: '1', amount: '1.00' }
      return run(tools, [{ id: 'c-1', tool: 'generator', input }], [{ id: 'c-2', tool: 'plain', input }])
    })
    expect(outcome).toMatchObject({ parts: [{ output: 'last' }, { output: 'refund.create' }] })
  })

  test('guardTools() refuses a streaming tool before its first value', async () => {
    const { client } = desk()
    let started = false
    const generator = tool({
      inputSchema,
      async *execute() {
        started = true
        yield 1
      },
    })
    const outcome = await client.task(task, (task) =>
      run(guardTools(task, { generator }, { generator: refundGuard }), [
        { id: 'c-1', tool: 'generator', input: { order: '1', amount: '60.00' } },
      ]),
    )
    expect(outcome).toMatchObject({ parts: [{ type: 'tool-error' }] })
    expect(started).toBe(false)
  })

  test('guardTools() ends a stream that nobody reads to its end', async () => {
    const { client } = desk()
    let closed = false
    const execute = async function* () {
      try {
        yield 1
        yield 2
      } finally {
        closed = true
      }
    }
    await client.task(task, async (task) => {
      const guarded = guardTools(task, { refund: { execute } }, { refund: refundGuard as never })
      const stream = guarded.refund.execute as unknown as (input: unknown, options: unknown) => AsyncIterable<unknown>
      for await (const _ of stream({ order: '1', amount: '1.00' }, { toolCallId: 'c-1' })) break
      return true
    })
    expect(closed).toBe(true)
  })

  test('guardTools() takes the abort signal to the broker', async () => {
    const { client, setTap } = desk()
    const stop = new AbortController()
    let ran = 0
    const running = client.task(task, (task) => {
      setTap((request, next) => {
        if (request.url.endsWith('/revoke')) return next(request)
        stop.abort(new Error('enough'))
        return new Promise(() => {})
      })
      const guarded = guardTools(task, { refund: refundTool(() => (ran += 1)) }, { refund: refundGuard })
      const execute = guarded.refund.execute as unknown as (input: unknown, options: unknown) => Promise<string>
      return execute({ order: '1', amount: '1.00' }, { toolCallId: 'c-1', abortSignal: stop.signal })
    })
    await expect(running).rejects.toThrow('enough')
    expect(ran).toBe(0)
  })

  test('guardTools() refuses input its guard cannot read', async () => {
    const { client } = desk()
    const outcome = await client.task(task, (task) => {
      const resource = (): `order:${string}` => {
        throw new Error('CANARY')
      }
      const refund = refundTool(() => 'ran')
      return run(guardTools(task, { refund }, { refund: { ...refundGuard, resource } }), [call('c-1', '1', '1.00')])
    })
    expect(outcome).toMatchObject({
      parts: [{ type: 'tool-error', error: { refusal: { reason: 'parameters-invalid' } } }],
    })
    expect(JSON.stringify(outcome)).not.toContain('CANARY')
  })

  test('guardTools() leaves a tool alone only where it is told to', async () => {
    const { client } = desk()
    const clientSide = tool({ inputSchema, outputSchema: z.string() })
    const refund = refundTool(() => 'ran')
    await client.task(task, async (task) => {
      expect(guardTools(task, { refund }, { refund: false }).refund).toBe(refund)
      expect(() => guardTools(task, { refund }, {} as never)).toThrow(/has no guard/)
      expect(() => guardTools(task, { toString: refund }, {} as never)).toThrow(/has no guard/)
      expect(() => guardTools(task, { clientSide }, { clientSide: refundGuard as never })).toThrow(/executed elsewhere/)
      return true
    })
  })

  test('guardTools() keeps everything else of a tool', async () => {
    const { client } = desk()
    const refund = refundTool(() => 'ran')
    await client.task(task, async (task) => {
      const { execute: _, ...rest } = guardTools(task, { refund }, { refund: refundGuard }).refund
      const { execute: __, ...original } = refund
      expect(rest).toEqual(original)
      return true
    })
  })
})
