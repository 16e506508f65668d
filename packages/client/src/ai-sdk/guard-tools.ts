import type { ActionName, ActionOf, ApiSet, ParametersIn, ResourceOf } from '@hallpass/core'
import { HallpassError } from '@hallpass/core'
import type { ToolExecutionOptions } from 'ai'
import { underGrant } from '../call/call-context.ts'
import type { GrantOutcome } from '../call/call-outcome.ts'
import type { Grant } from '../grant/grant.ts'
import { refusal } from '../outcome/refusal.ts'
import type { Task } from '../task/task.ts'
import { ToolRefused } from './tool-refused.ts'

/** What the AI SDK calls with an input of the tool's own type, which is handed on and not looked at. */
type Execute = (input: unknown, options: ToolExecutionOptions<unknown>) => unknown

/** A tool of any input and context: parameters of `never` take every function. */
interface Executable {
  readonly execute?: ((input: never, options: never) => unknown) | undefined
}

type InputOf<T> = T extends { execute?: ((input: infer I, ...rest: never[]) => unknown) | undefined } ? I : never

/** Which call of the catalog one tool is, read off the tool's input. */
export type ToolGuard<S extends ApiSet, Input> = {
  readonly [N in ActionName<S>]: {
    readonly action: N
    readonly resource: (input: Input) => ResourceOf<ActionOf<S, N>>
    readonly parameters?: (input: Input) => ParametersIn<ActionOf<S, N>>
    /** For a plain function that returns an async iterable; async generators are seen by themselves. */
    readonly streaming?: true
  }
}[ActionName<S>]

/** One guard for each tool; `false` for a tool that needs none. */
export type ToolGuards<S extends ApiSet, Tools> = {
  readonly [K in keyof Tools]: ToolGuard<S, InputOf<Tools[K]>> | false
}

interface AnyGuard {
  readonly action: string
  readonly resource: (input: unknown) => string
  readonly parameters?: (input: unknown) => unknown
  readonly streaming?: true
}

/**
 * Puts a grant before each tool of the AI SDK: a tool runs only once the broker allowed this very call, and inside it
 * `currentGrant()` is the grant. Asks are idempotent by tool call id; types, schemas and streaming stay as they are.
 *
 * A tool that is refused throws `ToolRefused`, which the SDK tells the model. What a tool does without presenting its
 * grant to a verifier is decided here and nowhere else: `currentGrant()`, `task.call` and `task.fetch` present it.
 *
 * @throws `HallpassError` with `configuration-invalid` for a tool without a guard, or one whose `execute` is not here.
 */
export function guardTools<S extends ApiSet, Tools extends Readonly<Record<string, Executable>>>(
  task: Task<S>,
  tools: Tools,
  guards: ToolGuards<S, Tools>,
): Tools {
  const guarded = Object.entries(tools).map(([name, tool]) => {
    const guard = Object.hasOwn(guards, name) ? (guards[name] as unknown as AnyGuard | false) : undefined
    if (guard === false) return [name, tool]
    if (guard === undefined) throw invalid(`The tool "${name}" has no guard; give it one, or false if it needs none`)
    const { execute } = tool
    if (typeof execute !== 'function') {
      throw invalid(`The tool "${name}" is executed elsewhere and cannot be guarded here; give it false`)
    }
    return [name, { ...tool, execute: guardedExecute(task, guard, execute as Execute) }]
  })
  return Object.fromEntries(guarded) as Tools
}

function guardedExecute(task: Task, guard: AnyGuard, execute: Execute): Execute {
  async function grantFor(input: unknown, { toolCallId, abortSignal }: ToolExecutionOptions<unknown>): Promise<Grant> {
    const asked = await ask(task, guard, { input, callId: toolCallId, signal: abortSignal })
    if (!asked.ok) throw new ToolRefused(asked)
    abortSignal?.throwIfAborted()
    return asked.grant
  }
  if (guard.streaming !== true && !isGenerator(execute)) {
    return async (input, options) => {
      const grant = await grantFor(input, options)
      return underGrant(grant, () => execute(input, options))
    }
  }
  // The SDK looks whether the result is iterable before it waits for anything, so this must be a generator itself.
  return async function* (input, options) {
    const grant = await grantFor(input, options)
    const results = underGrant(grant, () => execute(input, options) as AsyncIterable<unknown>)[Symbol.asyncIterator]()
    let done = false
    try {
      for (;;) {
        const next = await underGrant(grant, () => results.next())
        done = next.done === true
        if (done) return
        yield next.value
      }
    } finally {
      if (!done) await underGrant(grant, () => results.return?.())
    }
  }
}

interface Asking {
  readonly input: unknown
  readonly callId: string
  readonly signal: AbortSignal | undefined
}

async function ask(task: Task, guard: AnyGuard, { input, callId, signal }: Asking): Promise<GrantOutcome> {
  let resource: string
  let parameters: unknown
  try {
    resource = guard.resource(input)
    parameters = guard.parameters?.(input)
  } catch {
    return refusal('parameters-invalid')
  }
  const wish = { resource, parameters, callId, ...(signal && { signal }) }
  return task.grant(guard.action, wish as Parameters<Task['grant']>[1])
}

const isGenerator = (execute: Execute): boolean =>
  Object.prototype.toString.call(execute) === '[object AsyncGeneratorFunction]'

const invalid = (message: string) => new HallpassError('configuration-invalid', message)
