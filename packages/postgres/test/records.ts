import type { GrantRecord, Ledger, Limit, RedeemRequest, TaskRecord } from '@hallpass/core'

const ISSUER = 'https://broker.example'
const AUDIENCE = 'https://orders.example'

export const calls = (max: number): Limit => ({ id: 'calls', per: 'grant', max })

/** A task on the ledger's clock. */
export async function openedTask(ledger: Ledger, changes: Partial<TaskRecord> = {}): Promise<TaskRecord> {
  const now = await ledger.now()
  const opened = await ledger.openTask(
    {
      txn: `tsk_${Math.random()}`,
      clientId: 'support-bot',
      owner: 'team:support',
      purpose: 'support-ticket',
      jkt: 'jkt',
      identity: { iss: 'https://idp.example', sub: 'support-bot' },
      openedAt: now,
      deadline: Math.floor(now) + 600,
      policy: { version: '1', digest: 'sha-256:policy' },
      incarnation: ledger.incarnation,
      ...changes,
    },
    { maxOpenTasks: 1000 },
  )
  if (!opened.ok) throw new Error(opened.reason)
  return opened.value
}

export async function registeredGrant(
  ledger: Ledger,
  task: TaskRecord,
  changes: Partial<GrantRecord> & { readonly limits: readonly Limit[] },
): Promise<GrantRecord> {
  const iat = Math.floor(await ledger.now())
  const registered = await ledger.registerGrant({
    issuer: ISSUER,
    jti: `gr_${Math.random()}`,
    txn: task.txn,
    clientId: task.clientId,
    owner: task.owner,
    audience: AUDIENCE,
    action: 'refund.create',
    resource: 'order:123',
    iat,
    exp: iat + 300,
    policy: task.policy,
    status: { uri: `${ISSUER}/status/1`, idx: 7 },
    incarnation: ledger.incarnation,
    ...changes,
  })
  if (!registered.ok) throw new Error(registered.reason)
  return registered.value
}

/** What stays the same in every request for a grant; a use adds `attempt` and `event`. */
export function requestFor(grant: GrantRecord): Omit<RedeemRequest, 'attempt' | 'event'> {
  const { audience, issuer, jti, txn, clientId, iat, exp, action, resource } = grant
  return {
    audience,
    issuer,
    jti,
    txn,
    clientId,
    iat,
    exp,
    action,
    resource,
    source: 'registered',
    limits: [],
    amounts: {},
  }
}

let uses = 0

export function useOf(grant: GrantRecord, changes: Partial<RedeemRequest> = {}): RedeemRequest {
  uses += 1
  return { ...requestFor(grant), attempt: `at_${uses}`, event: `ev_${uses}`, ...changes }
}
