import { asSchema, generateText, stepCountIs } from 'ai'
import { defineApi } from '@hallpass/core'
import { describe, expect, test } from 'vitest'
import { api, desk, task } from '../../test/desk.ts'
import { scriptedModel } from '../../test/scripted-model.ts'
import type { ScriptedCall } from '../../test/scripted-model.ts'
import type { Task } from '../task/task.ts'
import { toolsFromApi } from './tools-from-api.ts'

async function run(task: Task<typeof api>, ...steps: ScriptedCall[][]) {
  const { model, prompts } = scriptedModel(...steps)
  const result = await generateText({ model, tools: toolsFromApi(task, api), prompt: 'go', stopWhen: stepCountIs(10) })
  return {
    outputs: result.steps.flatMap(({ toolResults }) => toolResults.map(({ output }) => output)),
    prompts: prompts(),
  }
}

const refund = (id: string, amount: string): ScriptedCall => ({
  id,
  tool: 'refund_create',
  input: { resource: 'order:1', parameters: { amount } },
})

describe('toolsFromApi()', () => {
  test('toolsFromApi() makes a call of each tool call, and a value of each refusal', async () => {
    const { client, world } = desk()
    const outcome = await client.task(task, (task) =>
      run(
        task,
        [{ id: 'c-1', tool: 'order_read', input: { resource: 'order:1' } }],
        [refund('c-2', '1.00'), refund('c-3', '60.00'), refund('c-4', 'a lot')],
      ),
    )
    expect(outcome).toMatchObject({
      outputs: [
        { ok: true, status: 200, body: { done: 'order.read' } },
        { ok: true, status: 200 },
        { ok: false, reason: 'no-rule-matched' },
        { ok: false, reason: 'parameters-invalid', message: expect.stringContaining('amount') },
      ],
    })
    expect(world.handled.map(({ action }) => action)).toEqual(['order.read', 'refund.create'])
    expect(JSON.stringify(outcome)).not.toMatch(/eyJ|small-refund/)
  })

  test('toolsFromApi() carries out a tool call once, however often it is made', async () => {
    const { client, world } = desk()
    await client.task(task, async (task) => {
      for (const _ of [1, 2]) await run(task, [refund('c-1', '1.00')])
      return true
    })
    expect(world.handled).toHaveLength(1)
  })

  test('toolsFromApi() describes resource and parameters to the model', async () => {
    const { client } = desk()
    await client.task(task, async (task) => {
      const tools = toolsFromApi(task, api)
      expect(Object.keys(tools)).toEqual([
        'order_read',
        'order_lines',
        'refund_create',
        'order_cancel',
        'stock_reserve',
      ])
      expect(await asSchema(tools.refund_create.inputSchema).jsonSchema).toMatchObject({
        type: 'object',
        required: ['resource', 'parameters'],
        additionalProperties: false,
        properties: {
          resource: { type: 'string', description: expect.stringContaining('order:{id}') },
          parameters: {
            properties: {
              amount: { type: 'string', description: 'A plain decimal as text, at most 2 fraction digits, in EUR' },
            },
            required: ['amount'],
            additionalProperties: false,
          },
        },
      })
      expect(await asSchema(tools.order_read.inputSchema).jsonSchema).toMatchObject({ required: ['resource'] })
      return true
    })
  })

  test('toolsFromApi() offers only what it is told to', async () => {
    const { client } = desk()
    await client.task(task, async (task) => {
      expect(Object.keys(toolsFromApi(task, api, { only: ['order.read'] }))).toEqual(['order_read'])
      return true
    })
  })

  test('toolsFromApi() refuses two actions of one tool name', async () => {
    const { client } = desk()
    const twice = defineApi({
      audience: 'https://twice.test',
      actions: {
        'a.b': { route: 'GET /a/{id}', resource: 'a:{id}', risk: 'read' },
        'a:b': { route: 'GET /b/{id}', resource: 'b:{id}', risk: 'read' },
      },
    })
    await client.task(task, async (task) => {
      expect(() => toolsFromApi(task as never, twice)).toThrow(
        expect.objectContaining({ code: 'configuration-invalid' }),
      )
      return true
    })
  })

  test('toolsFromApi() refuses input that is no call, and says so to the model', async () => {
    const { client, world } = desk()
    const outcome = await client.task(task, (task) =>
      run(
        task,
        [{ id: 'c-1', tool: 'order_read', input: { order: 1 } }],
        [{ id: 'c-2', tool: 'order_read', input: [] }],
      ),
    )
    expect(world.handled).toEqual([])
    expect('prompts' in outcome && outcome.prompts).toContain('The input is an object with a resource')
  })

  test.each<[string, Response, unknown]>([
    ['text', new Response('hello', { headers: { 'content-type': 'text/plain' } }), 'hello'],
    ['broken JSON', new Response('{', { headers: { 'content-type': 'application/json' } }), '{'],
    ['nothing', new Response(null, { status: 204 }), ''],
    ['too much', new Response('x'.repeat(70_000)), 'The answer is too long to be shown'],
    [
      'a problem',
      Response.json({ title: 'no' }, { status: 404, headers: { 'content-type': 'application/problem+json' } }),
      { title: 'no' },
    ],
  ])('toolsFromApi() shows the model %s', async (_name, response, body) => {
    const { client, world } = desk()
    world.handle('order.read', () => response)
    const outcome = await client.task(task, (task) =>
      run(task, [{ id: 'c-1', tool: 'order_read', input: { resource: 'order:1' } }]),
    )
    expect(outcome).toMatchObject({ outputs: [{ ok: response.ok, status: response.status, body }] })
  })
})
