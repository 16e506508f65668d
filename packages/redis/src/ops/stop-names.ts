import type { RevocationTarget, StandingTarget } from '@hallpass/core'
import { targetName } from '@hallpass/core'

/** The name under which a target is stopped. Everything has had a name of its own here since there was data. */
export const nameOf = (target: StandingTarget): string =>
  target.kind === 'everything' ? JSON.stringify([target.kind]) : targetName(target)

export const canStand = (target: RevocationTarget): target is StandingTarget =>
  target.kind !== 'grant' && target.kind !== 'task'

/** Field of the shard's `meta` that says a target is stopped. */
export const stopField = (target: StandingTarget): string => `stop:${nameOf(target)}`

/** The fields that stop an issue. */
export function stopsOf(about: {
  readonly clientId: string
  readonly owner: string
  readonly version: string
  readonly api?: { readonly audience: string; readonly action: string }
}) {
  return {
    everything: stopField({ kind: 'everything' }),
    agent: stopField({ kind: 'agent', clientId: about.clientId }),
    owner: stopField({ kind: 'owner', owner: about.owner }),
    version: stopField({ kind: 'policy-version', version: about.version }),
    ...(about.api && { action: stopField({ kind: 'action', ...about.api }) }),
  }
}
