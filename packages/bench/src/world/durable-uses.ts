import { randomBytes } from 'node:crypto'
import type { GrantRecord, Ledger, RedeemRequest } from '@hallpass/core'
import { must, take } from '../suite/must.ts'
import type { Work } from '../timing/work.ts'
import { AGENT, OWNER, POLICY } from './grant.ts'
import { AUDIENCE, ISSUER } from './orders-api.ts'

const TASKS = 64
const GRANTS_EACH = 16
/** Longer than any run of these rows. */
const SECONDS = 900
const JKT = 'A'.repeat(43)
const id = (prefix: string): string => prefix + randomBytes(16).toString('base64url')

/** Grants in a ledger that answers later, and requests for them. */
export interface DurableUses {
  readonly ledger: Ledger
  /** A new attempt with a new proof, for a grant that no processor can guess. */
  readonly request: () => RedeemRequest
  /** A grant for so many uses, and its request. */
  readonly grantFor: (uses: number) => Promise<() => RedeemRequest>
}

export async function openUses(ledger: Ledger): Promise<DurableUses> {
  const grants: GrantRecord[] = []
  for (let n = 0; n < TASKS; n++) {
    const txn = await openTask(ledger)
    for (let each = 0; each < GRANTS_EACH; each++) grants.push(await register(ledger, txn, 1_000_000_000))
  }
  let next = 0
  return {
    ledger,
    request() {
      next += 1
      return requestFor(take(grants, (next * 7919) % grants.length))
    },
    async grantFor(uses) {
      const grant = await register(ledger, await openTask(ledger), uses)
      return () => requestFor(grant)
    },
  }
}

async function openTask(ledger: Ledger): Promise<string> {
  const openedAt = await ledger.now()
  const txn = id('tsk_')
  const opened = await ledger.openTask(
    {
      txn,
      clientId: AGENT,
      owner: OWNER,
      purpose: 'support-ticket',
      jkt: JKT,
      identity: { iss: ISSUER, sub: AGENT },
      openedAt,
      deadline: Math.floor(openedAt) + 2 * SECONDS,
      policy: POLICY,
      incarnation: ledger.incarnation,
    },
    { maxOpenTasks: 1_000_000 },
  )
  if (!opened.ok) throw new Error(`The ledger did not open the task: ${opened.reason}.`)
  return txn
}

async function register(ledger: Ledger, txn: string, calls: number): Promise<GrantRecord> {
  const iat = Math.floor(await ledger.now())
  const registered = await ledger.registerGrant({
    issuer: ISSUER,
    jti: id('gr_'),
    txn,
    clientId: AGENT,
    owner: OWNER,
    audience: AUDIENCE,
    action: 'order.read',
    resource: 'order:123',
    iat,
    exp: iat + SECONDS,
    jkt: JKT,
    limits: [{ id: 'calls', per: 'grant', max: calls }],
    policy: POLICY,
    status: { uri: `${ISSUER}/status/1`, idx: 1 },
    incarnation: ledger.incarnation,
  })
  if (!registered.ok) throw new Error(`The ledger did not register the grant: ${registered.reason}.`)
  return registered.value
}

function requestFor({ jti, txn, iat, exp, action, resource }: GrantRecord): RedeemRequest {
  const event = id('ev_')
  const now = Math.floor(Date.now() / 1000)
  return {
    attempt: event,
    audience: AUDIENCE,
    issuer: ISSUER,
    jti,
    txn,
    clientId: AGENT,
    iat,
    exp,
    action,
    resource,
    source: 'registered',
    limits: [],
    amounts: {},
    proof: { jkt: JKT, jti: id(''), iat: now, acceptUntil: now + 60 },
    event,
  }
}

/** So many callers, each with one use under way. */
export function usesInFlight({ ledger, request }: DurableUses, callers: number): Work {
  let requests: RedeemRequest[] = []
  return {
    prepare(operations) {
      requests = Array.from({ length: operations }, () => request())
    },
    async run(operations) {
      let next = 0
      const caller = async (): Promise<void> => {
        while (next < operations) {
          const answer = await ledger.redeem(take(requests, next++))
          if (!answer.ok) throw new Error(`An honest use was refused while it was timed: ${answer.reason}.`)
          if (answer.state !== 'first') throw new Error('A new use was taken for an old one while it was timed.')
        }
      }
      await Promise.all(Array.from({ length: Math.min(callers, operations) }, caller))
    },
  }
}

/** Exactly as many uses as there are, all asked for at once; a proof once; nothing after the end. */
export async function checkUses({ ledger, grantFor }: DurableUses): Promise<void> {
  const seven = await grantFor(7)
  const answers = await Promise.all(Array.from({ length: 64 }, async () => ledger.redeem(seven())))
  must(answers.filter(({ ok }) => ok).length === 7, 'exactly 7 of 64 uses pass where there are 7')
  must(
    answers.every((answer) => answer.ok || answer.reason === 'grant-exhausted'),
    'the others are refused as exhausted',
  )
  const many = await grantFor(100)
  const first = many()
  must((await ledger.redeem(first)).ok, 'a use of a grant for many is permitted')
  const replay = await ledger.redeem({ ...many(), ...(first.proof && { proof: first.proof }) })
  must(!replay.ok && replay.reason === 'proof-replayed', 'a proof is taken once')
  await ledger.endTask(first.txn, 'completed')
  const late = await ledger.redeem(many())
  must(!late.ok && late.reason === 'task-ended', 'nothing passes after the end of its task')
}
