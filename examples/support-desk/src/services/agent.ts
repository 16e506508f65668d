import { generateText, stepCountIs } from 'ai'
import { MockLanguageModelV4 } from 'ai/test'
import { createClient, oidcToken } from '@hallpass/client'
import { toolsFromApi } from '@hallpass/client/ai-sdk'
import { inventory, orders } from '../catalog.ts'
import { readPrivateKey, readSetup } from '../desk/setup.ts'
import { workloadToken } from '../desk/workload-token.ts'
import { script } from './agent-script.ts'

/** The agent: an AI SDK loop whose model follows a script, so that the run needs no network. Everything else is real. */
const setup = await readSetup()
const key = await readPrivateKey(setup, 'support-bot')

const hallpass = createClient({
  issuer: setup.broker,
  identity: oidcToken({ clientId: 'support-bot', token: () => workloadToken(setup, key) }),
  api: [orders, inventory],
  baseUrls: { [orders.audience]: setup.orders, [inventory.audience]: setup.inventory },
})

const results: { tool: string; output: unknown }[] = []
const outcome = await hallpass.task(
  { purpose: 'support-ticket', note: 'Ticket #9917: mug arrived broken' },
  async (task) => {
    const run = await generateText({
      model: new MockLanguageModelV4({ doGenerate: script() }),
      tools: toolsFromApi(task, [orders, inventory]),
      prompt: 'Resolve ticket #9917: the mug of order 1001 arrived broken.',
      stopWhen: stepCountIs(10),
    })
    for (const step of run.steps) {
      for (const result of step.toolResults) results.push({ tool: result.toolName, output: result.output })
    }
    return { ok: true as const, text: run.text, txn: task.txn }
  },
)

process.send?.({ ready: true, outcome, results })
