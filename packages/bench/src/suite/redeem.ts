import { randomBytes } from 'node:crypto'
import type { Ledger, RedeemAnswer, RedeemRequest } from '@hallpass/core'
import { RateLimiterMemory } from 'rate-limiter-flexible'
import type { RowAim } from '../row/row-aim.ts'
import type { Work } from '../timing/work.ts'
import { openLedger, now, register, TASK } from '../world/bench-ledger.ts'
import { AGENT, createBenchIssuer, OWNER, POLICY } from '../world/grant.ts'
import type { SignedGrant } from '../world/grant.ts'
import { AUDIENCE, ISSUER } from '../world/orders-api.ts'
import { must, mustThrow, take } from './must.ts'
import type { Suite } from './suite.ts'

/** Grants alive at once, how long they live, and the age at which others take their place: what is over is forgotten. */
const GRANTS = 10_000
const SECONDS = 20
const RENEW_AFTER_MS = 8000
const BATCH = 256

const JKT = 'A'.repeat(43)
const id = (prefix: string): string => prefix + randomBytes(16).toString('base64url')

/** What a verifier sends for one use: a new attempt, a new proof. */
function requestFor({ claims }: SignedGrant): RedeemRequest {
  const [entry] = claims.authorization_details
  const event = id('ev_')
  const iat = Math.floor(Date.now() / 1000)
  return {
    attempt: event,
    audience: AUDIENCE,
    issuer: ISSUER,
    jti: claims.jti,
    txn: claims.txn,
    clientId: AGENT,
    iat: claims.iat,
    exp: claims.exp,
    action: entry.actions[0],
    resource: entry.identifier,
    source: 'registered',
    limits: entry.limits,
    owner: OWNER,
    policyVersion: POLICY.version,
    amounts: {},
    proof: { jkt: JKT, jti: id(''), iat, acceptUntil: iat + 60 },
    event,
  }
}

/** The grants in an order that no processor can guess. */
const pick = (grants: readonly SignedGrant[], index: number): SignedGrant =>
  take(grants, (index * 7919) % grants.length)

/** Ten thousand grants that the ledger knows, again and again. */
function livingGrants(
  ledger: Ledger,
  grant: (calls: number, ttl: number) => SignedGrant,
): () => readonly SignedGrant[] {
  let grants: readonly SignedGrant[] = []
  let madeAt = Number.NEGATIVE_INFINITY
  return () => {
    if (performance.now() - madeAt < RENEW_AFTER_MS) return grants
    grants = Array.from({ length: GRANTS }, () => grant(1_000_000, SECONDS))
    for (const { claims } of grants) register(ledger, claims)
    madeAt = performance.now()
    return grants
  }
}

function redeeming(ledger: Ledger, living: () => readonly SignedGrant[], settles: boolean): Work {
  let uses = 0
  let requests: RedeemRequest[] = []
  let open: string[] = []
  const settleOpen = (): void => {
    for (const reservation of open) void ledger.settle(reservation, { status: 200 })
    open = []
  }
  return {
    batch: BATCH,
    prepare(operations) {
      settleOpen()
      const grants = living()
      requests = Array.from({ length: operations }, (_, index) => requestFor(pick(grants, uses + index)))
      uses += operations
    },
    run(operations) {
      for (let done = 0; done < operations; done++) {
        const answer = now(ledger.redeem(take(requests, done)))
        if (!answer.ok) throw new Error(`An honest use was refused while it was timed: ${answer.reason}.`)
        if (answer.state !== 'first') throw new Error('A new use was taken for an old one while it was timed.')
        if (settles) void ledger.settle(answer.reservation, { status: 200 })
        else open.push(answer.reservation)
      }
    },
    after: settleOpen,
  }
}

/** One lookup among as many grants, in the same order. */
function lookUp(grants: readonly SignedGrant[]): Work {
  const map = new Map(grants.map(({ claims }) => [claims.jti, { left: claims.exp }]))
  const order = grants.map((_, index) => pick(grants, index).claims.jti)
  let next = 0
  return {
    run(operations) {
      for (let done = 0; done < operations; done++) {
        next = next + 1 === order.length ? 0 : next + 1
        const found = map.get(take(order, next))
        if (found === undefined) throw new Error('A grant is not in the map.')
        found.left -= 1
      }
    },
  }
}

function consuming(grants: readonly SignedGrant[]): Work {
  const limiter = createLimiter(Number.MAX_SAFE_INTEGER)
  let next = 0
  return {
    async run(operations) {
      for (let done = 0; done < operations; done++) {
        next += 1
        await limiter.consume(pick(grants, next).claims.jti)
      }
    },
  }
}

const createLimiter = (points: number): RateLimiterMemory => new RateLimiterMemory({ points, duration: 900 })

async function checkLimiter(): Promise<void> {
  const limiter = createLimiter(1)
  await limiter.consume('grant')
  await mustThrow(() => limiter.consume('grant'), 'the second use of one is refused')
}

/** One use is one use, whoever asks how; the dead stay dead. */
function checkLedger(grant: (calls: number) => SignedGrant): void {
  const ledger = openLedger()
  const known = (calls: number): SignedGrant => {
    const made = grant(calls)
    register(ledger, made.claims)
    return made
  }
  const redeem = (request: RedeemRequest): RedeemAnswer => now(ledger.redeem(request))
  const single = known(1)
  const first = requestFor(single)
  must(isFirst(redeem(first)), 'the first use of a grant for one is permitted')
  must(isFirst(redeem(first)), 'the same attempt sent again gets the same answer')
  refused(redeem(requestFor(single)), 'grant-exhausted')
  const many = known(100)
  const used = requestFor(many)
  must(isFirst(redeem(used)), 'a use of a grant for many is permitted')
  refused(redeem({ ...requestFor(many), ...(used.proof === undefined ? {} : { proof: used.proof }) }), 'proof-replayed')
  refused(redeem(requestFor(grant(1))), 'grant-unknown', 'incarnation-mismatch')
  checkEnds(ledger, redeem, { revoked: known(100), living: many })
}

function checkEnds(
  ledger: Ledger,
  redeem: (request: RedeemRequest) => RedeemAnswer,
  grants: Record<'revoked' | 'living', SignedGrant>,
): void {
  now(ledger.revoke({ kind: 'grant', jti: grants.revoked.claims.jti }, 'bench'))
  refused(redeem(requestFor(grants.revoked)), 'grant-revoked')
  now(ledger.endTask(TASK, 'completed'))
  refused(redeem(requestFor(grants.living)), 'task-ended')
}

const isFirst = (answer: RedeemAnswer): boolean => answer.ok && answer.state === 'first'

function refused(answer: RedeemAnswer, ...reasons: readonly string[]): void {
  const got = answer.ok ? answer.state : answer.reason
  must(reasons.includes(got), `a use is refused for ${reasons.join(' or ')} (it is ${got})`)
}

const row = (rowId: string, aim: number | null, work: string): RowAim => ({
  id: rowId,
  aim,
  better: 'lower',
  measure: 'cpu',
  baseline: 'map lookup',
  work,
})

export const redeem: Suite = {
  rows: [
    row('redeem.memory', 40, 'liveness, replay mark, limits, reservation, among 10 000 live grants'),
    row('redeem.memory.settled', null, 'the same and its outcome'),
    row('peer.rate-limiter-flexible.consume', null, 'one counter, nothing else'),
  ],
  open: async () => {
    const issuer = createBenchIssuer()
    const grant = (calls: number, ttl?: number): SignedGrant =>
      issuer.grant({
        txn: TASK,
        action: 'order.read',
        resource: 'order:123',
        jkt: JKT,
        calls,
        ...(ttl === undefined ? {} : { ttl }),
      })
    const grants = Array.from({ length: GRANTS }, () => grant(1))
    const baseline = lookUp(grants)
    const ledger = openLedger()
    const living = livingGrants(ledger, grant)
    const check = async (): Promise<void> => checkLedger(grant)
    return {
      entries: [
        { id: 'redeem.memory', check, work: redeeming(ledger, living, false), baseline },
        { id: 'redeem.memory.settled', check, work: redeeming(ledger, living, true), baseline },
        { id: 'peer.rate-limiter-flexible.consume', check: checkLimiter, work: consuming(grants), baseline },
      ],
    }
  },
}
