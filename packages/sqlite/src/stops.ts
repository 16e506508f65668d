import type { RefusalReason, RevocationTarget, StandingTarget } from '@hallpass/core'
import { targetName } from '@hallpass/core'
import type { Write } from './life.ts'
import { canStand, logLifted, logStopped } from './revocation-log.ts'

/** What can be stopped about an issue. */
export interface IssueFacts {
  readonly clientId: string
  readonly owner: string
  readonly policyVersion: string
  readonly api?: { readonly audience: string; readonly action: string }
}

/** Nothing is issued for the target from here on. */
export function stop(write: Write, target: StandingTarget, reason: string): void {
  const { file, now } = write
  const name = targetName(target)
  const isNew = file.run(
    'INSERT OR IGNORE INTO hallpass_stop (name, reason, at_us) VALUES (?, ?, ?)',
    name,
    reason,
    now,
  )
  if (isNew > 0) logStopped(write, target, reason)
}

/** Lets a stopped target go on. False when nothing of the kind stands, and for a single grant or task. */
export function resume(
  write: Write,
  target: RevocationTarget,
  options: { readonly reason: string; readonly maxSkewSeconds: number },
): boolean {
  if (!canStand(target)) return false
  const lifted = write.file.run('DELETE FROM hallpass_stop WHERE name = ?', targetName(target)) > 0
  if (lifted) logLifted(write, target, options)
  return lifted
}

/** Why nothing is issued about this now, or undefined when nothing stands in the way. */
export function whyStopped({ file }: Write, facts: IssueFacts): RefusalReason | undefined {
  if (file.get('SELECT 1 FROM hallpass_stop LIMIT 1') === undefined) return undefined
  const { clientId, owner, policyVersion, api } = facts
  const stands = (target: RevocationTarget): boolean =>
    file.get('SELECT 1 FROM hallpass_stop WHERE name = ?', targetName(target)) !== undefined
  if (stands({ kind: 'everything' })) return 'stopped'
  if (stands({ kind: 'agent', clientId }) || stands({ kind: 'owner', owner })) return 'agent-revoked'
  if (stands({ kind: 'policy-version', version: policyVersion })) return 'stopped'
  return api !== undefined && stands({ kind: 'action', ...api }) ? 'stopped' : undefined
}
