import type { IncomingCall } from '@hallpass/verifier'
import { bearerCall, dpopCall, RESOURCE } from './agent-call.ts'
import type { Target } from './agent-call.ts'
import { TASK } from './bench-ledger.ts'
import type { BenchIssuer, GrantInput, SignedGrant } from './grant.ts'
import { createHolder } from './holder.ts'
import type { Holder } from './holder.ts'

/** A grant and whoever may present it. */
export interface Held {
  readonly grant: SignedGrant
  /** Absent: the grant is unbound. */
  readonly holder: Holder | undefined
}

type Wish = Partial<Pick<GrantInput, 'txn' | 'action' | 'resource' | 'calls' | 'ttl'>>

/** Makes grants of one kind, bound or not, and calls with them. */
export interface Presenter {
  readonly bound: boolean
  hold(wish?: Wish): Held
  call(held: Held, target?: Target): IncomingCall
}

/**
 * `keys`: how many holders share the grants; `new` = each grant has a key of its own that nobody saw before, `none` =
 * grants are unbound.
 */
export function createPresenter(issuer: BenchIssuer, keys: number | 'new' | 'none'): Presenter {
  const holders = typeof keys === 'number' ? Array.from({ length: keys }, () => createHolder()) : []
  // Never dropped: what freeing a holder's private key costs is not the verifier's.
  const strangers: Holder[] = []
  let next = 0
  const holderOf = (): Holder | undefined => {
    if (keys === 'none') return undefined
    if (keys === 'new') {
      const holder = createHolder()
      strangers.push(holder)
      return holder
    }
    next += 1
    return holders[next % holders.length]
  }
  return {
    bound: keys !== 'none',
    hold(wish = {}) {
      const holder = holderOf()
      const grant = issuer.grant({
        txn: TASK,
        action: 'order.read',
        resource: RESOURCE,
        calls: 1_000_000_000,
        ...wish,
        ...(holder === undefined ? {} : { jkt: holder.key.jkt }),
      })
      return { grant, holder }
    },
    call: ({ grant, holder }, target) =>
      holder === undefined ? bearerCall(grant.token, target) : dpopCall(grant.token, holder, target),
  }
}
