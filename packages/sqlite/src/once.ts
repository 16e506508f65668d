import type { RefusalReason, Result } from '@hallpass/core'
import { ok, refuse } from '@hallpass/core'
import type { Write } from './life.ts'
import { toSeconds, toUs } from './life.ts'

/** What is over counts as seen: it could not be remembered. */
export function markOnce(
  { file, now }: Write,
  { name, until }: { readonly name: string; readonly until: number },
  maxSkewSeconds: number,
): 'first' | 'seen' {
  if (!isAhead(until, now)) return 'seen'
  const added = file.run(
    `INSERT INTO hallpass_mark (name, due_us) VALUES (?, ?)
      ON CONFLICT (name) DO UPDATE SET due_us = excluded.due_us WHERE due_us <= ?`,
    name,
    toUs(until + maxSkewSeconds),
    now,
  )
  return added > 0 ? 'first' : 'seen'
}

/** Notes that an assertion binds a key; its keys stay known for as long as any of its bindings lasts. */
export function bindKey(
  { file, now }: Write,
  { assertion, jkt }: { readonly assertion: string; readonly jkt: string },
  { maxKeys, until, maxSkewSeconds }: { maxKeys: number; until: number; maxSkewSeconds: number },
): Result<{ readonly keys: number }, RefusalReason> {
  if (!isAhead(until, now)) return refuse('token-expired')
  const known = file.all<{ jkt: string; due_us: number }>(
    'SELECT jkt, due_us FROM hallpass_binding WHERE assertion = ? AND due_us > ?',
    assertion,
    now,
  )
  if (known.some((each) => each.jkt === jkt)) return ok({ keys: known.length })
  if (!(known.length < maxKeys)) return refuse('too-many-keys')
  const due = Math.max(toUs(until + maxSkewSeconds), ...known.map(({ due_us }) => due_us))
  file.run('INSERT OR REPLACE INTO hallpass_binding (assertion, jkt, due_us) VALUES (?, ?, ?)', assertion, jkt, due)
  file.run('UPDATE hallpass_binding SET due_us = ? WHERE assertion = ? AND due_us > ?', due, assertion, now)
  return ok({ keys: known.length + 1 })
}

const isAhead = (until: number, now: number) => Number.isFinite(until) && toSeconds(now) < until
