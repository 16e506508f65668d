import { HallpassError } from '../fault.ts'
import type { RevocationTarget } from './revocation-target.ts'

/** One name for one target, under which a store may keep that it is stopped. */
export function targetName(target: RevocationTarget): string {
  switch (target.kind) {
    case 'grant':
      return JSON.stringify([target.kind, target.jti])
    case 'task':
      return JSON.stringify([target.kind, target.txn])
    case 'agent':
      return JSON.stringify([target.kind, target.clientId])
    case 'owner':
      return JSON.stringify([target.kind, target.owner])
    case 'action':
      return JSON.stringify([target.kind, target.audience, target.action])
    case 'policy-version':
      return JSON.stringify([target.kind, target.version])
    case 'everything':
      return target.kind
    default:
      return unknownTarget(target)
  }
}

/** A revocation that reached nothing would look like one that worked. */
export function unknownTarget(target: never): never {
  throw new HallpassError('configuration-invalid', `Nothing is revoked by ${JSON.stringify(Object(target).kind)}`)
}
