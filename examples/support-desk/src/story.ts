import type { ChildProcess } from 'node:child_process'
import { oidc } from '@hallpass/core'
import { defaultTriggers, definePolicy } from '@hallpass/policy'
import { orders } from './catalog.ts'
import { startProcess } from './desk/processes.ts'
import type { DeskSetup } from './desk/setup.ts'
import type { Check } from './desk/steps.ts'

interface AgentReport {
  readonly outcome: { readonly ok: boolean; readonly txn?: string; readonly reason?: string }
  readonly results: readonly {
    readonly tool: string
    readonly output: { readonly ok?: boolean; readonly reason?: string }
  }[]
}

/** The agent's day: what it was asked, what it got. Returns the id of its task. */
export const resolveTicket = async (check: Check, setupFile: string): Promise<{ txn: string; agent: ChildProcess }> => {
  let report: AgentReport = { outcome: { ok: false, reason: 'no report' }, results: [] }
  const agent = await startProcess('agent', setupFile, (message) => {
    report = message as AgentReport
  })
  const said = (index: number) => async () => {
    const result = report.results[index]
    if (result === undefined) return 'nothing'
    return result.output.ok === true ? `${result.tool} ok` : `${result.tool} refused: ${result.output.reason}`
  }
  await check('agent-reads-order', 'order_read ok', said(0))
  await check('agent-looks-up-stock', 'stock_read ok', said(1))
  await check('agent-reserves-replacement', 'stock_reserve ok', said(2))
  await check('agent-refunds-within-totals', 'refund_create ok', said(3))
  await check('agent-overreaches', 'refund_create refused: approval-required', said(4))
  await check('agent-completes', 'true', async () => String(report.outcome.ok))
  return { txn: report.outcome.txn ?? '', agent }
}

/** An agent nobody answers for cannot even be written into a policy. */
export const refuseOwnerless = async (check: Check, setup: DeskSetup): Promise<void> => {
  await check('agent-without-owner', 'policy-invalid', async () => {
    const ownerless = {
      identity: oidc({ issuer: setup.issuer, audience: setup.broker, subject: 'x' }),
      approvers: ['group:leads'],
      revokeOn: defaultTriggers,
    }
    try {
      definePolicy({
        api: orders,
        version: '1',
        purposes: ['support-ticket'],
        // @ts-expect-error an owner is required by the type, and at run time for those who do not compile
        agents: { 'lost-bot': ownerless },
        rules: [],
      })
      return 'accepted'
    } catch (fault) {
      return (fault as { code?: string }).code ?? 'other'
    }
  })
}
