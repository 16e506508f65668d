import type { GrantState, Swept, TaskState, UseRecord, UseState } from '@hallpass/core'
import { SWEEP_CLAIM_SECONDS } from '@hallpass/core'
import type { Write } from './life.ts'
import { toSeconds, toUs } from './life.ts'
import { parseReservation, reservationOf } from './reservation.ts'
import type { GrantRow, UseRow } from './rows.ts'
import type { SqliteFile } from './sqlite-file.ts'

/** What ran out, with how it is told. */
export interface Untold {
  readonly task: TaskState
  readonly grant: GrantState
  readonly unknown: UseRecord
  readonly released: UseRecord
}

type Kind = keyof Untold
type Facts = Pick<GrantRow, 'client_id' | 'action' | 'resource' | 'jkt'>

const CLAIM_US = toUs(SWEEP_CLAIM_SECONDS)

/** Keeps what ran out until somebody says that it is on record, in the transaction in which it ran out. */
export function putOut<K extends Kind>(
  { file, now }: Write,
  kind: K,
  { body, wait = false }: { readonly body: Untold[K]; readonly wait?: boolean },
): void {
  file.run(
    'INSERT INTO hallpass_outbox (kind, body, due_us) VALUES (?, ?, ?)',
    kind,
    JSON.stringify(body),
    wait ? now + CLAIM_US : now,
  )
}

/** Hands out what is due, and nobody else gets it for a while. */
export function takeOut({ file, now }: Write, most: number): Swept {
  const due = file.all<{ seq: number; kind: Kind; body: string }>(
    'SELECT seq, kind, body FROM hallpass_outbox WHERE due_us <= ? ORDER BY due_us, seq LIMIT ?',
    now,
    most,
  )
  for (const { seq } of due) file.run('UPDATE hallpass_outbox SET due_us = ? WHERE seq = ?', now + CLAIM_US, seq)
  const of = <K extends Kind>(wanted: K): Untold[K][] =>
    due.filter(({ kind }) => kind === wanted).map(({ body }) => JSON.parse(body) as Untold[K])
  return {
    tasks: of('task'),
    grants: of('grant'),
    unknownUses: of('unknown'),
    releasedUses: of('released'),
    receipt: JSON.stringify(due.map(({ seq }) => seq)),
  }
}

export function acknowledge({ file }: Write, receipt: string): void {
  for (const seq of seqsIn(receipt)) file.run('DELETE FROM hallpass_outbox WHERE seq = ?', seq)
}

function seqsIn(receipt: string): readonly number[] {
  try {
    const list: unknown = JSON.parse(receipt)
    return Array.isArray(list) ? list.filter((seq): seq is number => Number.isSafeInteger(seq)) : []
  } catch {
    return []
  }
}

export function recordOf(file: SqliteFile, use: UseRow): UseRecord {
  const { event, jti, txn, audience } = use
  const grant =
    use.facts === null
      ? file.get<Facts>('SELECT client_id, action, resource, jkt FROM hallpass_grant WHERE jti = ?', jti)
      : (JSON.parse(use.facts) as Facts)
  return {
    event,
    reservation: reservationOf(use.seq, use.secret),
    jti,
    txn,
    clientId: grant?.client_id ?? '',
    audience,
    action: grant?.action ?? '',
    resource: use.resource ?? grant?.resource,
    jkt: grant?.jkt ?? undefined,
    at: toSeconds(use.at_us),
    outbox: use.outbox === 1,
  }
}

export function useState(file: SqliteFile, reservation: string, now: number): UseState | undefined {
  const parsed = parseReservation(reservation)
  const use = parsed && file.get<UseRow>('SELECT * FROM hallpass_use WHERE seq = ?', parsed.seq)
  if (use === undefined || use.secret !== parsed?.secret) return undefined
  const isOver = use.state === 'running' && now >= use.lease_end_us
  return { ...recordOf(file, use), state: isOver ? 'unknown' : use.state }
}
