import type { EndRecord, GrantRecord, UseRecord } from '../world/records.ts'
import { by } from './by.ts'
import type { Violation } from './violation.ts'

export interface EndCounts {
  /** Revocations and ends that a broker acknowledged. */
  readonly acknowledged: number
  /** Milliseconds from an acknowledgement to the start of the last handler whose redeem had come before it. */
  readonly worstDelayMs: number
  /** Milliseconds from an acknowledgement to the last redeem that was still let in; 0 where the ledger is shared. */
  readonly worstAskMs: number
}

/** A verifier waits so long for its trail and no longer; a handler that starts later was let in after the end. */
const LONGEST_WAY_MS = 10_000

interface Issued {
  readonly jti: string
  readonly txn: string
  readonly agent: string
  readonly sent: number
  readonly received: number
}

export interface EndEvidence {
  readonly uses: readonly UseRecord[]
  readonly grants: readonly GrantRecord[]
  readonly ends: readonly EndRecord[]
  /** How late a revocation may reach a verifier; 0 where it asks the ledger that was told. */
  readonly boundMs: number
}

/** A message is as old as its signed time says, which is rounded, and a redeem leaves a moment after it was looked at. */
const GRAIN_MS = 1000

/**
 * Nothing is redeemed or given back after its end was acknowledged, or after the bound of verifiers that are told of it;
 * and nothing is issued to an agent that is stopped.
 */
export function checkEnds({ uses, grants, ends, boundMs }: EndEvidence): {
  counts: EndCounts
  violations: Violation[]
} {
  const violations: Violation[] = []
  const lateMs = boundMs === 0 ? 0 : boundMs + GRAIN_MS
  const runsOf = by(
    uses.flatMap((use) => (use.kind === 'run' ? [use] : [])),
    ({ jti }) => jti,
  )
  const startsOf = by(
    uses.flatMap((use) => (use.kind === 'giving-back' ? [use] : [])),
    ({ jti }) => jti,
  )
  const released = new Set(
    uses.flatMap((use) => (use.kind === 'gave-back' && use.answer === 'released' ? [use.event] : [])),
  )
  const issued: readonly Issued[] = [...by(grants, ({ jti }) => jti).values()].flatMap(([first]) => first ?? [])
  const [ofTask, ofAgent] = [by(issued, ({ txn }) => txn), by(issued, ({ agent }) => agent)]
  let [worstDelayMs, worstAskMs] = [0, 0]
  for (const { target, at, resumed } of ends) {
    const dead = ((): readonly string[] => {
      if (target.kind === 'grant') return [target.jti]
      if (target.kind === 'task') return (ofTask.get(target.txn) ?? []).map(({ jti }) => jti)
      return (ofAgent.get(target.clientId) ?? []).filter(({ received }) => received < at).map(({ jti }) => jti)
    })()
    for (const jti of dead) {
      const after = (runsOf.get(jti) ?? []).filter((run) => run.at > at)
      const worst = Math.max(0, ...after.map((run) => run.at - at))
      worstDelayMs = Math.max(worstDelayMs, worst)
      worstAskMs = Math.max(worstAskMs, ...after.map((run) => run.asked - at))
      const asked = after.filter((run) => run.asked > at + lateMs)
      const events = (asked.length > 0 ? asked : after).map(({ event }) => event)
      const of = `${target.kind} ended`
      if (asked.length > 0) {
        const detail = `${of}: ${asked.length} uses asked for after the acknowledgement, ${worst} ms at worst`
        violations.push({ rule: 'no use after revocation', detail, grants: [jti], events })
      } else if (worst > LONGEST_WAY_MS + lateMs) {
        const detail = `${of}: a handler started ${worst} ms later`
        violations.push({ rule: 'no use long after revocation', detail, grants: [jti], events })
      }
      // Where replicas count for themselves, a use may come back to a grant that is dead: nobody gets it any more.
      const late =
        lateMs > 0 ? [] : (startsOf.get(jti) ?? []).filter((back) => back.at > at && released.has(back.event))
      if (late.length === 0) continue
      const detail = `${of}: ${late.length} uses given back after the acknowledgement`
      violations.push({
        rule: 'no give-back after revocation',
        detail,
        grants: [jti],
        events: late.map((b) => b.event),
      })
    }
    if (target.kind !== 'agent') continue
    const stopped = (ofAgent.get(target.clientId) ?? []).filter(
      ({ sent, received }) => sent > at && received < (resumed ?? Infinity),
    )
    if (stopped.length === 0) continue
    const detail = `${target.clientId} was stopped and got ${stopped.length} grants`
    violations.push({ rule: 'a stopped agent gets nothing', detail, grants: stopped.map(({ jti }) => jti) })
  }
  return { violations, counts: { acknowledged: ends.length, worstDelayMs, worstAskMs } }
}
