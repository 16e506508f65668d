import type { GrantRecord, GrantState, Limit, RefusalReason, Refused, Result } from '@hallpass/core'
import { MAX_TTL_SECONDS, ok, randomId, refuse, whyNotCounted } from '@hallpass/core'
import type { Shards } from '../shard/shards.ts'
import { fieldsOf, listOf, refusalOf, textOf } from './answers.ts'
import { chargeAgent, costRow, refundAgent } from './charge-agent.ts'
import { FACT_BREAKS, factsOf } from './facts.ts'
import { grantFields, plainCap, unitOf } from './grant-fields.ts'
import { grantState } from './grant-state.ts'
import { readTask } from './open-task.ts'
import { stopsOf } from './stop-names.ts'
import { msOf } from './times.ts'

/** Makes a grant known, so that its token may leave the broker; or says why it must not. */
export async function registerGrant(shards: Shards, record: GrantRecord): Promise<Result<GrantRecord, RefusalReason>> {
  if (record.incarnation !== shards.incarnation) return refuse('incarnation-mismatch')
  const problem = whyNotLines(record) ?? whyNotCounted(record)
  if (problem !== undefined) return problem
  const atIssue = costsAtIssue(record)
  if (atIssue === undefined) return refuse('amount-invalid', 'What is charged at issue cannot be added up exactly')

  const { clientId, txn, jti } = record
  const charge = { clientId, id: randomId('') }
  const ofAgent = [...record.limits, ...(record.chargeAtIssue?.limits ?? [])].filter(({ per }) => per === 'agent')
  if (ofAgent.length > 0) {
    const cost = atIssue.filter(({ limit }) => limit.per === 'agent').map(({ limit, units }) => costRow(limit, units))
    const units = ofAgent.map((limit) => [
      `${limit.id}\n${limit.window_seconds}`,
      unitOf(limit),
      limit.id,
      limit.window_seconds,
    ])
    const refusal = await chargeAgent(shards, charge, { cost: cost.join('\n'), units })
    if (refusal !== undefined) return refusal
  }

  const shard = shards.of(txn)
  const names = [`task:${txn}`, `grant:${jti}`, 'grants', `in:${txn}`, 'uses']
  const keys = [shard.meta, ...names.map((name) => shard.key(name))]
  const args = [JSON.stringify(askOf(record, charge.id, atIssue)), JSON.stringify(grantFields(record))]
  const answer = textOf(await shard.run('registerGrant', keys, args))
  if (answer === 'Y') return ok(record)
  if (ofAgent.length > 0) await refundAgent(shards, charge).catch(() => false)
  return refusalOf(answer)
}

export async function readGrant(shards: Shards, jti: string): Promise<GrantState | undefined> {
  const found = await Promise.all(
    shards.all.map(async (shard) => {
      const [now, era, flat] = listOf(await shard.run('readGrant', [shard.meta, shard.key(`grant:${jti}`)], []))
      const fields = fieldsOf(flat)
      return fields.get('era') === era && Number(now) < Number(fields.get('exp')) ? fields : undefined
    }),
  )
  const fields = found.find((each) => each !== undefined)
  return fields && grantState(fields, await readTask(shards, fields.get('txn') ?? ''))
}

/** Refuses ids that are more than a line: they are part of keys and texts. */
function whyNotLines(record: GrantRecord): Refused<RefusalReason> | undefined {
  const { limits, chargeAtIssue, jti } = record
  const isLine = (text: string) => !/[\r\n]/.test(text)
  const facts = factsOf(record, record.jkt)
  if (facts.split('\n').length !== FACT_BREAKS + 1 || facts.includes('\r') || !isLine(jti)) {
    return refuse('request-invalid', 'An id of the grant is more than a line')
  }
  if ([...limits, ...(chargeAtIssue?.limits ?? [])].every(({ id }) => isLine(id))) return undefined
  return refuse('details-invalid', 'The id of a limit is more than a line')
}

interface Cost {
  readonly limit: Limit
  readonly units: number
}

/** What all uses cost together; undefined when an amount is missing or cannot be added up exactly. */
function costsAtIssue({ chargeAtIssue }: GrantRecord): readonly Cost[] | undefined {
  if (chargeAtIssue === undefined) return []
  const { limits, amounts, uses } = chargeAtIssue
  const costs: Cost[] = []
  for (const limit of limits) {
    const amount: unknown = limit.parameter === undefined ? 1 : amounts[limit.parameter]
    if (typeof amount !== 'number' || !Number.isSafeInteger(amount) || amount < 0) return undefined
    if (!Number.isSafeInteger(amount * uses)) return undefined
    costs.push({ limit, units: amount * uses })
  }
  return costs
}

function askOf(record: GrantRecord, call: string, atIssue: readonly Cost[]) {
  const { clientId, owner, audience, action, policy, iat, exp, jkt, jti, limits, txn, chargeAtIssue } = record
  const ofTask = [...limits, ...(chargeAtIssue?.limits ?? [])].filter(({ per }) => per === 'task')
  return {
    call,
    agent: clientId,
    owner,
    jti,
    txn,
    calls: plainCap(limits) === undefined ? '' : String(plainCap(limits)?.max),
    counts: `calls:${action}`,
    facts: factsOf(record, jkt),
    exp: msOf(exp),
    iat: Number.isNaN(iat) ? Number.MAX_SAFE_INTEGER : msOf(iat),
    tooLong: !(exp - iat <= MAX_TTL_SECONDS),
    stops: stopsOf({ clientId, owner, version: policy.version, api: { audience, action } }),
    counters: ofTask.map((limit) => ({ id: limit.id, unit: unitOf(limit) })),
    charges: atIssue.flatMap(({ limit, units }) =>
      limit.per === 'task' ? [{ id: limit.id, max: limit.max, units }] : [],
    ),
  }
}
