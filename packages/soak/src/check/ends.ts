import type { EndRecord, GrantRecord } from '../world/records.ts'
import type { Run } from './uses.ts'
import { by } from './uses.ts'
import type { Violation } from './violation.ts'

export interface EndCounts {
  /** Revocations and ends that a broker acknowledged. */
  readonly acknowledged: number
  /** Milliseconds from an acknowledgement to the start of the last handler whose redeem had come before it. */
  readonly worstDelayMs: number
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

/** Nothing is redeemed after its end was acknowledged, and nothing is issued to an agent that is stopped. */
export function checkEnds(
  runs: readonly Run[],
  grants: readonly GrantRecord[],
  ends: readonly EndRecord[],
): { counts: EndCounts; violations: Violation[] } {
  const violations: Violation[] = []
  const runsOf = by(runs, ({ jti }) => jti)
  const issued: readonly Issued[] = [...by(grants, ({ jti }) => jti).values()].flatMap(([first]) => first ?? [])
  const [ofTask, ofAgent] = [by(issued, ({ txn }) => txn), by(issued, ({ agent }) => agent)]
  let worstDelayMs = 0
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
      const asked = after.filter((run) => run.asked > at)
      const events = (asked.length > 0 ? asked : after).map(({ event }) => event)
      const of = `${target.kind} ended`
      if (asked.length > 0) {
        const detail = `${of}: ${asked.length} uses asked for after the acknowledgement, ${worst} ms at worst`
        violations.push({ rule: 'no use after revocation', detail, grants: [jti], events })
      } else if (worst > LONGEST_WAY_MS) {
        const detail = `${of}: a handler started ${worst} ms later`
        violations.push({ rule: 'no use long after revocation', detail, grants: [jti], events })
      }
    }
    if (target.kind !== 'agent') continue
    const stopped = (ofAgent.get(target.clientId) ?? []).filter(
      ({ sent, received }) => sent > at && received < (resumed ?? Infinity),
    )
    if (stopped.length === 0) continue
    const detail = `${target.clientId} was stopped and got ${stopped.length} grants`
    violations.push({ rule: 'a stopped agent gets nothing', detail, grants: stopped.map(({ jti }) => jti) })
  }
  return { violations, counts: { acknowledged: ends.length, worstDelayMs } }
}
