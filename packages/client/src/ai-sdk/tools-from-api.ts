import type { Action, ActionName, ApiSet } from '@hallpass/core'
import { apisOf, decimalSpec, HallpassError } from '@hallpass/core'
import type { Tool } from 'ai'
import { asSchema, jsonSchema, tool } from 'ai'
import type { CallOutcome } from '../call/call-outcome.ts'
import type { Refusal } from '../outcome/refusal.ts'
import type { Task } from '../task/task.ts'
import { asObject } from '../wire/json-object.ts'
import { readLimited } from '../wire/read-limited.ts'

/** JSON Schema, as far as it is written here. */
type Schema = Readonly<Record<string, unknown>>

/** What the model writes for one call. */
export interface ToolInput {
  readonly resource: string
  readonly parameters?: Readonly<Record<string, unknown>>
}

/** What the model reads: the API's answer, or why there is none. */
export type ToolOutput =
  | { readonly ok: boolean; readonly status: number; readonly body: unknown }
  | Pick<Refusal, 'ok' | 'reason' | 'message' | 'retryable' | 'event'>

type Underscored<Name extends string> = Name extends `${infer Head}${'.' | ':'}${infer Tail}`
  ? `${Head}_${Underscored<Tail>}`
  : Name

/** `refund.create` becomes `refund_create`: providers take no dots. */
export type ApiTools<Names extends string> = { readonly [N in Names as Underscored<N>]: Tool<ToolInput, ToolOutput> }

const MAX_BODY_BYTES = 65_536

/**
 * Makes a tool of the AI SDK out of each action of a catalog that has a route: `task.call` with the tool call's id, so
 * that a call the SDK makes twice is carried out once. A refusal is a value the model reads.
 *
 * @param options.only the actions to offer; by default all. Offering one grants nothing.
 * @throws `HallpassError` with `configuration-invalid` where two actions would get one tool name.
 */
export function toolsFromApi<S extends ApiSet, N extends ActionName<S> = ActionName<S>>(
  task: Task<S>,
  api: S,
  options: { readonly only?: readonly N[] } = {},
): ApiTools<N> {
  const only: readonly string[] | undefined = options.only
  const actions = apisOf(api)
    .flatMap((one) => Object.values(one.actions))
    .filter((action) => action.path !== undefined && (only?.includes(action.name) ?? true))
  const tools = new Map<string, Tool<ToolInput, ToolOutput>>()
  for (const action of actions) {
    const name = action.name.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, 64)
    if (tools.has(name)) {
      throw new HallpassError(
        'configuration-invalid',
        `Two actions would be the tool "${name}"; choose with the option only`,
      )
    }
    tools.set(name, toolOf(task, action))
  }
  return Object.fromEntries(tools) as ApiTools<N>
}

function toolOf(task: Task, action: Action): Tool<ToolInput, ToolOutput> {
  return tool<ToolInput, ToolOutput, never>({
    description: action.title ?? action.name,
    inputSchema: jsonSchema<ToolInput>(() => inputSchemaOf(action), { validate: checkInput }),
    execute: async (input, { toolCallId, abortSignal }) => {
      const wish = { ...input, callId: toolCallId, ...(abortSignal && { signal: abortSignal }) }
      return outputOf(await task.call(action.name, wish))
    },
  }) as Tool<ToolInput, ToolOutput>
}

/** Only the outline: what is inside is checked by the catalog, whose refusal the model can read. */
function checkInput(value: unknown): { success: true; value: ToolInput } | { success: false; error: Error } {
  const input = asObject(value)
  const fits = typeof input?.['resource'] === 'string' && asObject(input['parameters'] ?? {}) !== undefined
  if (fits) return { success: true, value: { resource: input['resource'] as string, ...paramsOf(input) } }
  return {
    success: false,
    error: new Error('The input is an object with a resource and, where the tool has any, parameters'),
  }
}

const paramsOf = (input: Readonly<Record<string, unknown>>) =>
  input['parameters'] === undefined ? {} : { parameters: input['parameters'] as Record<string, unknown> }

async function inputSchemaOf(action: Action): Promise<Schema> {
  const resource = { type: 'string', description: `What it is done to, written like ${action.resource}` }
  const names = Object.keys(action.parameters.shape)
  const properties = names.length === 0 ? { resource } : { resource, parameters: await parametersSchemaOf(action) }
  return { type: 'object', properties, required: Object.keys(properties), additionalProperties: false }
}

async function parametersSchemaOf(action: Action): Promise<Schema> {
  const schema = (await asSchema(action.parameters).jsonSchema) as Schema
  const properties = Object.entries((schema['properties'] ?? {}) as Readonly<Record<string, Schema>>)
  const described = properties.map(([name, property]) => [name, { ...amountOf(action, name), ...property }])
  return { ...schema, properties: Object.fromEntries(described) }
}

/** A decimal says nothing of itself in JSON Schema but that it is text. */
function amountOf(action: Action, name: string): Schema {
  const spec = decimalSpec(action.parameters.shape[name])
  if (spec === undefined) return {}
  const unit = spec.unit === undefined ? '' : `, in ${spec.unit}`
  return { description: `A plain decimal as text, at most ${spec.scale} fraction digits${unit}` }
}

async function outputOf(outcome: CallOutcome): Promise<ToolOutput> {
  if (!outcome.ok) {
    const { callId: _, ...refused } = outcome
    return refused
  }
  const { response } = outcome
  return { ok: response.ok, status: response.status, body: await bodyOf(response) }
}

async function bodyOf(response: Response): Promise<unknown> {
  const bytes = await readLimited(response, MAX_BODY_BYTES)
  if (bytes === undefined) return 'The answer is too long to be shown'
  const text = new TextDecoder().decode(bytes)
  if (!/^application\/([a-z.-]+\+)?json\b/i.test(response.headers.get('content-type') ?? '')) return text
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}
