import type { GrantRecord, RevocationEntry, RevocationRead, RevocationTarget, StandingTarget } from '@hallpass/core'
import { MAX_TTL_SECONDS, targetName } from '@hallpass/core'
import type { Write } from './life.ts'
import { incarnationOf, readLife, toSeconds, toUs } from './life.ts'
import type { SqliteFile } from './sqlite-file.ts'

interface Line {
  readonly entry: RevocationEntry
  /** Of a stop, until it is lifted. */
  readonly stop?: string | null
  /** When it says nothing any more; absent while a stop stands. */
  readonly over?: number
}

function add(write: Write, { entry, stop = null, over }: Line): void {
  write.logged = true
  write.file.run(
    'INSERT INTO hallpass_revocation (entry, kind, stop_name, over_us) VALUES (?, ?, ?, ?)',
    JSON.stringify(entry),
    entry.kind,
    stop,
    over === undefined ? null : toUs(over),
  )
}

/** One line for each grant that lived until now. */
export function logKilled(
  write: Write,
  records: readonly GrantRecord[],
  { reason, maxSkewSeconds }: { readonly reason: string; readonly maxSkewSeconds: number },
): void {
  const at = toSeconds(write.now)
  for (const { jti, txn, audience, status, exp } of records) {
    add(write, { entry: { kind: 'grant', at, reason, jti, txn, audience, status, exp }, over: exp + maxSkewSeconds })
  }
}

export function logStopped(write: Write, target: StandingTarget, reason: string): void {
  add(write, { entry: { kind: 'stop', at: toSeconds(write.now), reason, target }, stop: targetName(target) })
}

export function logLifted(
  write: Write,
  target: StandingTarget,
  { reason, maxSkewSeconds }: { readonly reason: string; readonly maxSkewSeconds: number },
): void {
  write.file.run(
    'UPDATE hallpass_revocation SET stop_name = NULL, over_us = ? WHERE stop_name = ?',
    write.now,
    targetName(target),
  )
  const at = toSeconds(write.now)
  const cutOff = at + maxSkewSeconds
  add(write, { entry: { kind: 'lift', at, reason, target, cutOff }, over: cutOff + MAX_TTL_SECONDS + maxSkewSeconds })
}

export const canStand = (target: RevocationTarget): target is StandingTarget =>
  target.kind !== 'grant' && target.kind !== 'task'

/** One writer at a time: lines are committed in the order of their numbers, so no read finds one before its cursor. */
export function readLog(
  file: SqliteFile,
  { after, limit }: { readonly after?: string; readonly limit: number },
  now: number,
): RevocationRead {
  const incarnation = incarnationOf(readLife(file))
  const from = after === undefined ? 0 : seqOf(after, incarnation)
  if (from === undefined) return { state: 'gone' }
  const rows = file.all<{ seq: number; entry: string }>(
    'SELECT seq, entry FROM hallpass_revocation WHERE seq > ? ORDER BY seq LIMIT ?',
    from,
    limit + 1,
  )
  const lines = rows.slice(0, limit)
  // Asked after the lines: what another process forgot meanwhile cannot have been missed.
  const newest =
    file.get<{ seq: number }>("SELECT seq FROM sqlite_sequence WHERE name = 'hallpass_revocation'")?.seq ?? 0
  const { log_gone_below } = readLife(file)
  if (after !== undefined && (from > newest || from < log_gone_below)) return { state: 'gone' }
  return {
    state: 'read',
    entries: lines.map(({ entry }) => JSON.parse(entry) as RevocationEntry),
    cursor: `${incarnation}.${lines.at(-1)?.seq ?? from}`,
    more: rows.length > lines.length,
    at: toSeconds(now),
  }
}

function seqOf(cursor: string, incarnation: string): number | undefined {
  const prefix = `${incarnation}.`
  const digits = cursor.startsWith(prefix) ? cursor.slice(prefix.length) : ''
  return /^(?:0|[1-9]\d{0,14})$/.test(digits) ? Number(digits) : undefined
}

/** Forgets lines that say nothing any more. A reader from before a forgotten lift may hold a stop that was lifted. */
export function forgetLines({ file, now }: Write, most: number): void {
  const over = file.all<{ seq: number; kind: string }>(
    'SELECT seq, kind FROM hallpass_revocation WHERE over_us <= ? ORDER BY over_us LIMIT ?',
    now,
    most,
  )
  for (const { seq, kind } of over) {
    file.run('DELETE FROM hallpass_revocation WHERE seq = ?', seq)
    if (kind === 'lift') file.run('UPDATE hallpass_life SET log_gone_below = max(log_gone_below, ?)', seq)
  }
}
