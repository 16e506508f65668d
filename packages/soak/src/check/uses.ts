import { LIMITS } from '../world/orders.ts'
import type { GrantRecord, LedgerReading, UseRecord } from '../world/records.ts'
import { by } from './by.ts'
import type { HeldUse } from './held.ts'
import { heldUses, mostHeld } from './held.ts'
import type { Violation } from './violation.ts'

export type Run = Extract<UseRecord, { kind: 'run' }>

export interface UseCounts {
  /** Handler runs in all. */
  readonly runs: number
  /** Redeems that a replica was told were the first. */
  readonly granted: number
  /** Uses that their handler gave back: the ledger said so, and anybody may have them again. */
  readonly givenBack: number
  /** Give-backs that the ledger refused, since grant or task was over, and ones whose answer did not come. */
  readonly keptBack: number
  readonly unclearBack: number
  /** Grants that the ledger was asked about when nobody used them any more, and what it had counted for them. */
  readonly readings: number
  readonly usedInLedger: number
  readonly runsOfRead: number
  readonly givenBackOfRead: number
  /** Of the unclear ones, those that the ledger had taken: it counts fewer than were granted and not given back. */
  readonly goneOfRead: number
  /** Used, and no handler ran: lost in a kill, a cut or a wait that was too long. */
  readonly lost: number
  /** Of these: the replica heard `first`, and ended or gave up before its handler. */
  readonly lostAfterRedeem: number
  /** Grants of which every use was taken, and by a handler that kept it. */
  readonly spentToTheLast: number
}

export interface UseEvidence {
  readonly uses: readonly UseRecord[]
  readonly grants: readonly GrantRecord[]
  readonly readings: ReadonlyMap<string, LedgerReading>
  /** False where `kept` may be the answer to a give-back that was sent again. */
  readonly isKeptSure: boolean
}

/** Counts what handlers did, and holds it against limits, totals, the ledger and what agents were told. */
export function checkUses(evidence: UseEvidence): { counts: UseCounts; violations: Violation[] } {
  const { uses, grants, readings } = evidence
  const violations: Violation[] = []
  const held = heldUses(uses, evidence.isKeptSure)
  const runs = uses.filter((use): use is Run => use.kind === 'run')
  const runsOf = by(runs, ({ jti }) => jti)
  const granted = held.filter(({ from }) => from !== undefined)
  const heldOf = by(held, ({ jti }) => jti)
  const expOf = new Map(grants.map(({ jti, exp }) => [jti, exp]))
  const say = (rule: string, detail: string, of: readonly { readonly jti: string; readonly event: string }[]): void => {
    const named = [...new Set(of.map(({ jti }) => jti))]
    violations.push({ rule, detail, grants: named, events: of.map(({ event }) => event) })
  }
  const ran = (of: readonly HeldUse[]): readonly Run[] => of.flatMap(({ run }) => run ?? [])

  let spentToTheLast = 0
  for (const [jti, own] of heldOf) {
    const [first] = ran(own)
    if (first === undefined) continue
    const max = LIMITS[first.action].uses
    const most = mostHeld(own, () => 1)
    if (most > max) say('no grant over its limit', `${most} uses at a time where ${max} were granted`, own)
    const kept = own.filter(({ run, back }) => run !== undefined && back === undefined)
    if (kept.length === max) spentToTheLast += 1
    const late = ran(own).filter(({ asked }) => asked > (expOf.get(jti) ?? Infinity) * 1000)
    if (late.length > 0) say('no use after expiry', `${late.length} runs asked for after the grant's exp`, late)
    const lateBack = own.filter(
      ({ back }) => back?.answer === 'released' && back.at > (expOf.get(jti) ?? Infinity) * 1000,
    )
    if (lateBack.length > 0) say('no give-back after expiry', `${lateBack.length} uses given back after exp`, lateBack)
  }
  const spending = held.filter(({ run }) => run !== undefined)
  for (const [key, own] of by(spending, ({ run }) => `${run?.txn} ${run?.action} ${run?.api}`)) {
    const { total } = LIMITS[own[0]?.run?.action ?? 'refund.create']
    const most = mostHeld(own, ({ run }) => run?.amount ?? 0)
    if (total !== undefined && most > total) say('no total over its cap', `${key}: ${most} of ${total} cents`, own)
  }
  for (const [event, own] of by(runs, ({ event }) => event)) {
    if (own.length > 1) say('a use runs once', `use ${event} ran ${own.length} times`, own)
  }
  const unasked = held.filter(({ from, run }) => from === undefined && run !== undefined)
  for (const use of unasked) say('every run was redeemed', `use ${use.event} ran and no ledger had said first`, [use])
  for (const [key, own] of by(
    spending.filter(({ run, back }) => run?.key !== null && back === undefined),
    ({ run }) => `${run?.txn} ${run?.key}`,
  )) {
    if (own.length > 1) say('an idempotency key runs once', `${key} ran ${own.length} times`, own)
  }

  const kept = new Set(
    held.filter(({ run, back }) => run !== undefined && back === undefined).map(({ event }) => event),
  )
  const told = by(grants, ({ jti }) => jti)
  for (const [jti, records] of told) {
    const ghosts = records.flatMap(({ events }) => events).filter((event) => !kept.has(event))
    if (ghosts.length > 0)
      violations.push({ rule: 'what is answered ran', detail: 'answered, and no run', grants: [jti], events: ghosts })
  }
  let [usedInLedger, runsOfRead, givenBackOfRead, goneOfRead, lost, lostAfterRedeem] = [0, 0, 0, 0, 0, 0]
  for (const { jti, used } of readings.values()) {
    const own = heldOf.get(jti) ?? []
    const ran = runsOf.get(jti)?.length ?? 0
    const released = own.filter(({ back }) => back?.answer === 'released').length
    const open = own.filter(({ back }) => back?.answer === 'unclear').length
    const heard = own.filter(({ from }) => from !== undefined).length
    const unclear = (told.get(jti) ?? []).reduce((sum, record) => sum + record.unclear, 0)
    usedInLedger += used
    runsOfRead += ran
    givenBackOfRead += released
    // Without a give-back that nobody heard the end of, the ledger counts at least what was heard and not given back.
    const least = Math.max(heard, ran) - released
    const gone = Math.max(0, least - used)
    goneOfRead += gone
    lost += used + released + gone - ran
    lostAfterRedeem += heard - ran
    if (gone > open)
      say(
        'the ledger knows every use',
        `${jti}: ${ran} runs, ${heard} granted, ${released} given back and ${open} perhaps, ${used} in the ledger`,
        own,
      )
    const more = used - (ran - released)
    if (more > unclear)
      say('what is lost was not answered', `${jti}: ${more} lost, and only ${unclear} without an answer`, own)
  }
  const backs = (answer: 'released' | 'kept' | 'unclear') => held.filter(({ back }) => back?.answer === answer).length
  return {
    violations,
    counts: {
      runs: runs.length,
      granted: granted.length,
      givenBack: backs('released'),
      keptBack: held.filter(({ wasKept }) => wasKept).length,
      unclearBack: backs('unclear'),
      readings: readings.size,
      usedInLedger,
      runsOfRead,
      givenBackOfRead,
      goneOfRead,
      lost,
      lostAfterRedeem,
      spentToTheLast,
    },
  }
}
