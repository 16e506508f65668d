import { LIMITS } from '../world/orders.ts'
import type { GrantRecord, LedgerReading, UseRecord } from '../world/records.ts'
import type { Violation } from './violation.ts'

export type Run = Extract<UseRecord, { kind: 'run' }>

export interface UseCounts {
  /** Handler runs in all. */
  readonly runs: number
  /** Redeems that a replica was told were the first. */
  readonly granted: number
  /** Grants that the ledger was asked about when nobody used them any more, and what it had counted for them. */
  readonly readings: number
  readonly usedInLedger: number
  readonly runsOfRead: number
  /** Used, and no handler ran: lost in a kill, a cut or a wait that was too long. */
  readonly lost: number
  /** Of these: the replica heard `first`, and ended or gave up before its handler. */
  readonly lostAfterRedeem: number
}

export const by = <T>(records: readonly T[], key: (record: T) => string): ReadonlyMap<string, readonly T[]> => {
  const groups = new Map<string, T[]>()
  for (const record of records) {
    const name = key(record)
    const group = groups.get(name)
    if (group === undefined) groups.set(name, [record])
    else group.push(record)
  }
  return groups
}

export interface UseEvidence {
  readonly uses: readonly UseRecord[]
  readonly grants: readonly GrantRecord[]
  readonly readings: ReadonlyMap<string, LedgerReading>
}

/** Counts what handlers did, and holds it against limits, totals, the ledger and what agents were told. */
export function checkUses({ uses, grants, readings }: UseEvidence): { counts: UseCounts; violations: Violation[] } {
  const violations: Violation[] = []
  const runs = uses.filter((use): use is Run => use.kind === 'run')
  const granted = new Set(uses.filter(({ kind }) => kind === 'granted').map(({ event }) => event))
  const runsOf = by(runs, ({ jti }) => jti)
  const expOf = new Map(grants.map(({ jti, exp }) => [jti, exp]))
  const grantedOf = by(
    uses.filter(({ kind }) => kind === 'granted'),
    ({ jti }) => jti,
  )
  const say = (rule: string, detail: string, of: readonly Run[]): void => {
    const named = [...new Set(of.map((run) => run.jti))]
    violations.push({ rule, detail, grants: named, events: of.map(({ event }) => event) })
  }

  for (const [jti, own] of runsOf) {
    const max = LIMITS[own[0]?.action ?? 'refund.create'].uses
    if (own.length > max) say('no grant over its limit', `${own.length} runs where ${max} were granted`, own)
    const late = own.filter(({ asked }) => asked > (expOf.get(jti) ?? Infinity) * 1000)
    if (late.length > 0) say('no use after expiry', `${late.length} runs asked for after the grant's exp`, late)
  }
  for (const [key, own] of by(runs, ({ txn, action }) => `${txn} ${action}`)) {
    const { total } = LIMITS[own[0]?.action ?? 'refund.create']
    const sum = own.reduce((units, { amount }) => units + amount, 0)
    if (total !== undefined && sum > total) say('no total over its cap', `${key}: ${sum} of ${total} cents`, own)
  }
  for (const [event, own] of by(runs, ({ event }) => event)) {
    if (own.length > 1) say('a use runs once', `use ${event} ran ${own.length} times`, own)
    if (!granted.has(event)) say('every run was redeemed', `use ${event} ran and no ledger had said first`, own)
  }
  for (const [key, own] of by(
    runs.filter(({ key }) => key !== null),
    ({ txn, key }) => `${txn} ${key}`,
  )) {
    if (own.length > 1) say('an idempotency key runs once', `${key} ran ${own.length} times`, own)
  }

  const ran = new Set(runs.map(({ event }) => event))
  const told = by(grants, ({ jti }) => jti)
  for (const [jti, records] of told) {
    const ghosts = records.flatMap(({ events }) => events).filter((event) => !ran.has(event))
    if (ghosts.length > 0)
      violations.push({ rule: 'what is answered ran', detail: 'answered, and no run', grants: [jti], events: ghosts })
  }
  let [usedInLedger, runsOfRead, lost, lostAfterRedeem] = [0, 0, 0, 0]
  for (const { jti, used } of readings.values()) {
    const own = runsOf.get(jti) ?? []
    const heard = grantedOf.get(jti)?.length ?? 0
    const unclear = (told.get(jti) ?? []).reduce((sum, record) => sum + record.unclear, 0)
    usedInLedger += used
    runsOfRead += own.length
    lost += used - own.length
    lostAfterRedeem += heard - own.length
    if (own.length > used || heard > used)
      say('the ledger knows every use', `${jti}: ${own.length} runs, ${heard} granted, ${used} in the ledger`, own)
    if (used - own.length > unclear)
      say(
        'what is lost was not answered',
        `${jti}: ${used - own.length} lost, and only ${unclear} without an answer`,
        own,
      )
  }
  const counts = { usedInLedger, runsOfRead, lost, lostAfterRedeem, readings: readings.size }
  return { violations, counts: { ...counts, runs: runs.length, granted: granted.size } }
}
