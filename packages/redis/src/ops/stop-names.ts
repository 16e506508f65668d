import type { RevocationTarget, StandingTarget } from '@hallpass/core'
import { HallpassError } from '@hallpass/core'

/** The name under which a target is stopped. */
export function nameOf(target: StandingTarget): string {
  switch (target.kind) {
    case 'agent':
      return JSON.stringify([target.kind, target.clientId])
    case 'owner':
      return JSON.stringify([target.kind, target.owner])
    case 'action':
      return JSON.stringify([target.kind, target.audience, target.action])
    case 'policy-version':
      return JSON.stringify([target.kind, target.version])
    case 'everything':
      return JSON.stringify([target.kind])
    default:
      return unknownTarget(target)
  }
}

export const canStand = (target: RevocationTarget): target is StandingTarget =>
  target.kind !== 'grant' && target.kind !== 'task'

/** A revocation that reached nothing would look like one that worked. */
export function unknownTarget(target: never): never {
  throw new HallpassError('configuration-invalid', `Nothing is revoked by ${JSON.stringify(Object(target).kind)}`)
}

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
