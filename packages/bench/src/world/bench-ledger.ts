import { isPromise, memoryLedger } from '@hallpass/core'
import type { GrantClaims, GrantRecord, Ledger, MaybePromise, TaskRecord } from '@hallpass/core'
import { AGENT, OWNER, POLICY } from './grant.ts'
import { AUDIENCE, ISSUER } from './orders-api.ts'

/** Room for everything one run may leave behind: nothing is refused because the bench is long. */
const ROOM = { maxTasks: 100_000, maxGrants: 2 ** 22, maxProofs: 2 ** 22, maxUses: 2 ** 22 } as const

export const TASK = 'tsk_AAAAAAAAAAAAAAAAAAAAAA'
const TASK_SECONDS = 3600

/** The memory ledger is synchronous, and only a synchronous one can be timed in a plain loop. */
export function now<T>(answer: MaybePromise<T>): T {
  if (isPromise(answer)) throw new Error('The memory ledger answered with a promise.')
  return answer
}

export const emptyLedger = (): Ledger => memoryLedger({ exactFor: 'one-process', ...ROOM })

/** A memory ledger with one open task. A suite has one for all its rows: another would be another target to compile for. */
export function openLedger(): Ledger {
  const ledger = emptyLedger()
  openTask(ledger, TASK)
  return ledger
}

export function openTask(ledger: Ledger, txn: string, maxOpenTasks = 16): void {
  const opened = now(ledger.openTask(taskRecord(ledger, txn, now(ledger.now())), { maxOpenTasks }))
  if (!opened.ok) throw new Error(`The ledger did not open the task: ${opened.reason}.`)
}

export const taskRecord = ({ incarnation }: Ledger, txn: string, openedAt: number): TaskRecord => ({
  txn,
  clientId: AGENT,
  owner: OWNER,
  purpose: 'support-ticket',
  jkt: 'A'.repeat(43),
  identity: { iss: ISSUER, sub: AGENT },
  openedAt,
  deadline: Math.floor(openedAt) + TASK_SECONDS,
  policy: POLICY,
  incarnation,
})

/** Registers a grant as the broker does before its token leaves. */
export function register(ledger: Ledger, claims: GrantClaims): void {
  const registered = now(ledger.registerGrant(grantRecord(ledger, claims)))
  if (!registered.ok) throw new Error(`The ledger did not register the grant: ${registered.reason}.`)
}

export function grantRecord({ incarnation }: Ledger, claims: GrantClaims): GrantRecord {
  const [entry] = claims.authorization_details
  return {
    issuer: claims.iss,
    jti: claims.jti,
    txn: claims.txn,
    clientId: claims.client_id,
    owner: OWNER,
    audience: AUDIENCE,
    action: entry.actions[0],
    resource: entry.identifier,
    iat: claims.iat,
    exp: claims.exp,
    ...(claims.cnf === undefined ? {} : { jkt: claims.cnf.jkt }),
    limits: entry.limits,
    policy: POLICY,
    status: claims.status.status_list,
    incarnation,
  }
}
