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

const beside = new WeakMap<object, Granted>()
// The symbol stays in this module.
const GRANTED = Symbol('hallpass.granted')

interface Carrier {
  [GRANTED]?: Granted
}

/**
 * Remembers what a guard let through; forgotten with the request. Beside it, since frameworks that give each request
 * another prototype, as Express does, make a new property ten times dearer than an entry in a WeakMap.
 */
export const keepGrant = (request: object, guarded: GuardedBy): void =>
  void beside.set(request, new Granted(request, guarded))

/** The same on the request itself, for frameworks whose requests are of one class: nothing for the collector to visit. */
export function keepGrantOn(request: object, guarded: GuardedBy): void {
  ;(request as Carrier)[GRANTED] = new Granted(request, guarded)
}

/**
 * The grant of a request that a guard of this verifier let through for this action, kept by `keepGrant`.
 * @throws HallpassError `guard-missing` for any other request.
 */
export const grantFor = (request: object, verifier: object, action: string): VerifiedGrant =>
  checked(beside.get(request), { request, verifier, action })

/** The same, kept by `keepGrantOn`. */
export const grantOn = (request: object, verifier: object, action: string): VerifiedGrant =>
  checked((request as Carrier)[GRANTED], { request, verifier, action })

function checked(entry: Granted | undefined, { request, verifier, action }: Omit<Granted, 'grant'>): VerifiedGrant {
  // A copy of a request, or an object that inherits from one, is another request.
  if (entry?.request !== request || entry.verifier !== verifier || entry.action !== action) {
    throw new HallpassError(
      'guard-missing',
      `No guard let this request through for ${action}; mount requireGrant(verifier, '${action}') before the handler`,
    )
  }
  return entry.grant
}
