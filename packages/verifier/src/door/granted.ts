import { HallpassError } from '@hallpass/core'
import type { VerifiedGrant } from '../grant/verified-grant.ts'

/** What a guard of this module let through for one request. A class for the reason that `Attempt` is one. */
class Granted {
  readonly request: object
  readonly verifier: object
  readonly action: string
  readonly grant: VerifiedGrant

  constructor(request: object, { verifier, action, grant }: GuardedBy) {
    this.request = request
    this.verifier = verifier
    this.action = action
    this.grant = grant
  }
}

interface GuardedBy {
  readonly verifier: object
  readonly action: string
  readonly grant: VerifiedGrant
}

// On the request and not in a WeakMap beside it: one entry per request there costs the garbage collector more than
// everything else a door does. The symbol stays in this module.
const GRANTED = Symbol('hallpass.granted')

interface Carrier {
  [GRANTED]?: Granted
}

/** Remembers what a guard let through; forgotten with the request. */
export function keepGrant(request: object, guarded: GuardedBy): void {
  ;(request as Carrier)[GRANTED] = new Granted(request, guarded)
}

/**
 * The grant of a request that a guard of this verifier let through for this action.
 * @throws HallpassError `guard-missing` for any other request.
 */
export function grantFor(request: object, verifier: object, action: string): VerifiedGrant {
  const entry = (request as Carrier)[GRANTED]
  // A copy of a request, or an object that inherits from one, is another request.
  if (entry?.request !== request || entry.verifier !== verifier || entry.action !== action) {
    throw new HallpassError(
      'guard-missing',
      `No guard let this request through for ${action}; mount requireGrant(verifier, '${action}') before the handler`,
    )
  }
  return entry.grant
}
