import type { Limit, Outcome } from '@hallpass/core'
import { MAX_KEPT_BODY_CHARS } from '@hallpass/core'
import { holdersOf, unCharge } from './counters.ts'
import type { Write } from './life.ts'
import { putOut, recordOf } from './outbox.ts'
import { parseReservation } from './reservation.ts'
import type { GrantRow, UseRow } from './rows.ts'
import { GRANTS, whyDead } from './rows.ts'
import type { SqliteFile } from './sqlite-file.ts'

/** reserved -> committed, with its outcome. Nothing happens where the use is over or unknown. */
export function settle(write: Write, reservation: string, outcome: Outcome): void {
  const use = runningUse(write, reservation)
  if (use === undefined) return
  const { status, contentType, body } = outcome
  // Only a key lets anybody ask for it again.
  const isKept = body !== undefined && use.idempotency_key !== null && body.length <= MAX_KEPT_BODY_CHARS
  const kept = { status, ...(contentType !== undefined && { contentType }), ...(isKept && { body }) }
  write.file.run("UPDATE hallpass_use SET state = 'done', outcome = ? WHERE seq = ?", JSON.stringify(kept), use.seq)
  forgetIfOrphaned(write.file, use.seq)
}

/** Nobody can ask any more for a use that outlived its grant, and its task where it had a key. */
export function forgetIfOrphaned(file: SqliteFile, seq: number): void {
  file.run(
    `DELETE FROM hallpass_use WHERE seq = ?
      AND NOT EXISTS (SELECT 1 FROM hallpass_grant g WHERE g.jti = hallpass_use.jti)
      AND (idempotency_key IS NULL OR NOT EXISTS (SELECT 1 FROM hallpass_task t WHERE t.txn = hallpass_use.txn))`,
    seq,
  )
}

/** reserved -> released: every limit it was charged to gets it back, once. False when it is too late for that. */
export function giveBack(write: Write, reservation: string): boolean {
  const use = runningUse(write, reservation)
  if (use === undefined) return false
  const grant = write.file.get<GrantRow>(`${GRANTS} WHERE g.jti = ?`, use.jti)
  if (grant === undefined || whyDead(grant, write) !== undefined) return false
  write.file.run("UPDATE hallpass_use SET state = 'released', idempotency_key = NULL WHERE seq = ?", use.seq)
  write.file.run('UPDATE hallpass_grant SET used = used - 1 WHERE jti = ?', use.jti)
  if (use.outbox === 1) putOut(write, 'released', { body: recordOf(write.file, use), wait: true })
  if (grant.charges !== null && use.units !== null) {
    const limits = JSON.parse(grant.charges) as Limit[]
    const units = JSON.parse(use.units) as number[]
    unCharge(write, limits, { holders: holdersOf(grant), units, chargedAt: use.at_us })
  }
  return true
}

function runningUse({ file, now }: Write, reservation: string): UseRow | undefined {
  const parsed = parseReservation(reservation)
  if (parsed === undefined) return undefined
  const use = file.get<UseRow>('SELECT * FROM hallpass_use WHERE seq = ?', parsed.seq)
  const isRunning = use?.secret === parsed.secret && use.state === 'running' && now < use.lease_end_us
  return isRunning ? use : undefined
}
