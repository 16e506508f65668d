import type { Limit, RefusalReason, Refused } from '@hallpass/core'
import type { Write } from './life.ts'
import { toSeconds } from './life.ts'
import type { GrantRow } from './rows.ts'

interface CounterRow {
  readonly parameter: string | null
  readonly scale: number
  readonly unit: string | null
  readonly window_number: number
  readonly spent: number
}

/** Whose limits: every counter is kept under one of these three. */
export interface Holders {
  readonly issuer: string
  readonly jti: string
  readonly txn: string
  readonly clientId: string
}

export const holdersOf = (grant: GrantRow): Holders => ({
  issuer: grant.issuer,
  jti: grant.jti,
  txn: grant.txn,
  clientId: grant.client_id,
})

const holderOf = ({ per }: Limit, { jti, txn, clientId }: Holders): string =>
  per === 'grant' ? jti : per === 'task' ? txn : clientId

const KEY = 'scope = ? AND holder = ? AND limit_id = ? AND window_seconds = ?'

const keyOf = (limit: Limit, holders: Holders) =>
  [limit.per, holderOf(limit, holders), limit.id, limit.window_seconds ?? 0] as const

export const isOwnCalls = ({ per, parameter }: Limit): boolean => per === 'grant' && parameter === undefined

/** Fixed windows on the ledger's clock; 0 for what is counted for life. */
const windowOf = ({ window_seconds: seconds }: Limit, now: number): number =>
  seconds === undefined ? 0 : Math.floor(toSeconds(now) / seconds)

function counter({ file }: Write, limit: Limit, holders: Holders): CounterRow | undefined {
  return file.get<CounterRow>(
    `SELECT parameter, scale, unit, window_number, spent FROM hallpass_counter WHERE ${KEY}`,
    ...keyOf(limit, holders),
  )
}

/** Whether the counter of this name adds up something else: two units under one name must never be summed. */
export function countsOther(write: Write, limit: Limit, holders: Holders): boolean {
  const known = counter(write, limit, holders)
  if (known === undefined) return false
  const { parameter = null, scale = 0, unit = null } = limit
  return known.parameter !== parameter || known.scale !== scale || known.unit !== unit
}

/** Starts the counters of a grant that are not its own calls, where nobody started them before. */
export function startCounters(write: Write, limits: readonly Limit[], holders: Holders): void {
  for (const limit of limits) if (!isOwnCalls(limit)) add(write, limit, { holders, units: 0 })
}

function add(write: Write, limit: Limit, { holders, units }: { holders: Holders; units: number }): void {
  write.file.run(
    `INSERT INTO hallpass_counter
      (scope, holder, limit_id, window_seconds, parameter, scale, unit, window_number, spent)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET
        spent = excluded.spent + CASE WHEN window_number = excluded.window_number THEN spent ELSE 0 END,
        window_number = excluded.window_number`,
    ...keyOf(limit, holders),
    limit.parameter ?? null,
    limit.scale ?? 0,
    limit.unit ?? null,
    windowOf(limit, write.now),
    units,
  )
}

export interface Charge {
  readonly holders: Holders
  readonly amounts: Readonly<Record<string, number>>
  readonly uses: number
}

/** What `uses` uses cost; NaN when the amount is missing, negative, not whole, or too large to add up exactly. */
function unitsOf({ parameter }: Limit, { amounts, uses }: Charge): number {
  if (parameter === undefined) return uses
  const amount = Object.hasOwn(amounts, parameter) ? amounts[parameter] : undefined
  if (typeof amount !== 'number' || !Number.isSafeInteger(amount) || amount < 0) return Number.NaN
  const units = amount * uses
  return Number.isSafeInteger(units) ? units : Number.NaN
}

/**
 * Charges every limit, or none of them and says why. The calls of a grant's own are counted in its row (`used`).
 * Returns what was charged, by limit.
 */
export function charge(
  write: Write,
  { limits, used }: { readonly limits: readonly Limit[]; readonly used: number },
  spend: Charge,
): readonly number[] | (Refused<RefusalReason> & { readonly limit: string }) {
  const units: number[] = []
  for (const limit of limits) {
    const cost = unitsOf(limit, spend)
    if (Number.isNaN(cost)) return { ok: false, reason: 'amount-invalid', limit: limit.id }
    // Subtracting keeps every number a safe integer; adding could round past the cap.
    if (cost > limit.max - (isOwnCalls(limit) ? used : spentOf(write, limit, spend.holders))) {
      return { ok: false, reason: isOwnCalls(limit) ? 'grant-exhausted' : 'limit-exceeded', limit: limit.id }
    }
    units.push(cost)
  }
  for (const [index, limit] of limits.entries()) {
    if (!isOwnCalls(limit)) add(write, limit, { holders: spend.holders, units: units[index] ?? 0 })
  }
  return units
}

function spentOf(write: Write, limit: Limit, holders: Holders): number {
  const known = counter(write, limit, holders)
  return known === undefined || known.window_number !== windowOf(limit, write.now) ? 0 : known.spent
}

/** Gives back what was charged at `chargedAt`; a window that is over has nothing to get back. */
export function unCharge(
  write: Write,
  limits: readonly Limit[],
  { holders, units, chargedAt }: { holders: Holders; units: readonly number[]; chargedAt: number },
): void {
  for (const [index, limit] of limits.entries()) {
    if (isOwnCalls(limit)) continue
    write.file.run(
      `UPDATE hallpass_counter SET spent = spent - ? WHERE ${KEY} AND window_number = ?`,
      units[index] ?? 0,
      ...keyOf(limit, holders),
      windowOf(limit, chargedAt),
    )
  }
}
