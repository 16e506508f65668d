import type { GrantRecord, Ledger, Limit, RedeemRequest, TaskRecord } from '@hallpass/core'
import { randomId } from '@hallpass/core'

export const JKT = 'jkt-jkt-jkt-jkt-jkt-jkt-jkt-jkt-jkt-jkt-jkt'
export const calls = (max: number): Limit => ({ id: 'calls', per: 'grant', max })

export async function openTask(ledger: Ledger, changes: Partial<TaskRecord> = {}): Promise<TaskRecord> {
  const now = await ledger.now()
  const record: TaskRecord = {
    txn: randomId('tsk_'),
    clientId: 'support-bot',
    owner: 'team:support',
    purpose: 'support-ticket',
    jkt: JKT,
    identity: { iss: 'https://idp.example', sub: 'support-bot' },
    openedAt: now,
    deadline: Math.floor(now) + 600,
    policy: { version: '1', digest: 'sha-256:policy' },
    incarnation: ledger.incarnation,
    ...changes,
  }
  const opened = await ledger.openTask(record, { maxOpenTasks: 100 })
  if (!opened.ok) throw new Error(`The task was refused: ${opened.reason}`)
  return opened.value
}

export async function register(
  ledger: Ledger,
  task: TaskRecord,
  changes: Partial<GrantRecord> = {},
): Promise<GrantRecord> {
  const iat = Math.floor(await ledger.now())
  const record: GrantRecord = {
    issuer: 'https://broker.example',
    jti: randomId('gr_'),
    txn: task.txn,
    clientId: task.clientId,
    owner: task.owner,
    audience: 'https://orders.example',
    action: 'refund.create',
    resource: 'order:123',
    iat,
    exp: iat + 300,
    jkt: JKT,
    limits: [calls(1)],
    policy: task.policy,
    status: { uri: 'https://broker.example/status/1', idx: 7 },
    incarnation: ledger.incarnation,
    ...changes,
  }
  const registered = await ledger.registerGrant(record)
  if (!registered.ok) throw new Error(`The grant was refused: ${registered.reason}`)
  return registered.value
}

export function request(grant: GrantRecord, changes: Partial<RedeemRequest> = {}): RedeemRequest {
  const now = Date.now() / 1000
  return {
    attempt: randomId('at_'),
    audience: grant.audience,
    issuer: grant.issuer,
    jti: grant.jti,
    txn: grant.txn,
    clientId: grant.clientId,
    iat: grant.iat,
    exp: grant.exp,
    action: grant.action,
    resource: grant.resource,
    source: 'registered',
    limits: [],
    amounts: {},
    proof: { jkt: JKT, jti: randomId(''), iat: Math.floor(now), acceptUntil: now + 60 },
    event: randomId('ev_'),
    ...changes,
  }
}
