import { HallpassError } from '@hallpass/core'
import type { VerifiedGrant } from '../grant/verified-grant.ts'

interface Granted {
  readonly verifier: object
  readonly action: string
  readonly grant: VerifiedGrant
}

const granted = new WeakMap<object, Granted>()

/** Remembers what a guard let through; forgotten with the request. */
export const keepGrant = (request: object, entry: Granted): void => void granted.set(request, entry)

/**
 * The grant of a request that a guard of this verifier let through for this action.
 * @throws HallpassError `guard-missing` for any other request.
 */
export function grantFor(request: object, verifier: object, action: string): VerifiedGrant {
  const entry = granted.get(request)
  if (entry === undefined || entry.verifier !== verifier || entry.action !== action) {
    throw new HallpassError(
      'guard-missing',
      `No guard let this request through for ${action}; mount requireGrant(verifier, '${action}') before the handler`,
    )
  }
  return entry.grant
}
