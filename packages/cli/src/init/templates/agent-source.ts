import type { JsonObject } from '@hallpass/core'
import type { ActionDraft } from '../openapi/draft.ts'
import { quote } from '../source-text.ts'
import type { ProjectNames } from './config-source.ts'

const IMPORTS = [
  "import { readFileSync } from 'node:fs'",
  "import { createClient, signedAssertion } from '@hallpass/client'",
  "import type { CallOutcome } from '@hallpass/client'",
  "import { api } from './catalog.ts'",
].join('\n')

/** One call the agent makes. */
export interface SampleCall {
  readonly action: string
  readonly resource: string
  readonly parameters: JsonObject
  readonly comment: string
}

/** A call that fits an action. */
export function sampleCall({ name, resource, parameters }: ActionDraft, comment: string): SampleCall {
  const required = parameters.filter(({ isRequired }) => isRequired)
  return {
    action: name,
    resource: resource.replaceAll(/\{\w+\}/g, '123'),
    parameters: Object.fromEntries(required.map((one) => [one.name, one.example])),
    comment,
  }
}

const callSource = ({ action, resource, parameters, comment }: SampleCall): string => {
  const given = Object.keys(parameters).length === 0 ? '' : `, parameters: ${JSON.stringify(parameters)}`
  return `  // ${comment}
  await show(task.call(${quote(action)}, { resource: ${quote(resource)}${given} }))`
}

/** `agent.ts`: one task, a grant per call, an end. */
export const agentSource = (names: ProjectNames, apiUrl: string, calls: readonly SampleCall[]): string => `${IMPORTS}

// The agent proves who it is with this key. It holds no privilege: it asks for a grant before every call.
const key = JSON.parse(readFileSync(new URL('./keys/${names.agent}.jwk.json', import.meta.url), 'utf8'))
const hallpass = createClient({
  issuer: ${quote(names.issuer)},
  identity: signedAssertion({ clientId: ${quote(names.agent)}, key }),
  api,
  baseUrls: { [api.audience]: ${quote(apiUrl)} },
})

// A refusal is a value with words a model may read.
async function show(call: Promise<CallOutcome>) {
  const outcome = await call
  console.log(outcome.ok ? \`\${outcome.response.status} \${await outcome.response.text()}\` : \`refused (\${outcome.reason}): \${outcome.message}\`)
}

const done = await hallpass.task({ purpose: ${quote(names.purpose)}, note: 'first run' }, async (task) => {
${calls.map(callSource).join('\n')}
  return task.txn
})

// Returning ended the task: every grant in it is dead.
console.log(typeof done === 'string' ? \`task \${done} is complete\` : \`no task (\${done.reason}): \${done.message}\`)
await hallpass.close()
`
