import type { IncomingCall, Verdict } from '@hallpass/verifier'
import { now, openTask } from '../world/bench-ledger.ts'
import { atOnce } from '../world/guarded-orders.ts'
import type { GuardedOrders } from '../world/guarded-orders.ts'
import { createHolder } from '../world/holder.ts'
import type { Held, Presenter } from '../world/presenter.ts'
import { must } from './must.ts'

export const OTHER_RESOURCE = { method: 'GET', path: '/orders/999', id: '999' } as const
export const OTHER_ACTION = { method: 'POST', path: '/orders/123/refund', id: '123' } as const

let tasks = 0

/**
 * The path that will be timed admits the honest call, records it twice, and refuses everything else; with a token it
 * has seen before as well as with one it has not.
 */
export function checkVerifier(orders: GuardedOrders, presenter: Presenter): void {
  const { verifier, ledger, trail } = orders
  const read = (call: IncomingCall): Verdict => atOnce(verifier.verify('order.read', call))
  const write = (call: IncomingCall): Verdict => atOnce(verifier.verify('refund.create', call))
  const admits = (held: Held): void => {
    const before = trail.count
    const verdict = read(presenter.call(held))
    must(verdict.kind === 'admitted', 'the honest call is admitted')
    void verdict.settle({ status: 200 })
    must(trail.count === before + 2, 'start and outcome of a use are on record')
  }
  const txn = `tsk_${String((tasks += 1)).padStart(22, 'B')}`
  openTask(ledger, txn)
  const known = (wish: Parameters<Presenter['hold']>[0]): Held => {
    const held = presenter.hold({ txn, ...wish })
    orders.register([held.grant])
    return held
  }

  const honest = known({})
  admits(honest)
  admits(honest)
  refused(read(presenter.call(honest, OTHER_RESOURCE)), 'resource-mismatch')
  refused(write(presenter.call(honest, OTHER_ACTION)), 'action-mismatch')

  const [spent, revoked] = [known({ calls: 2 }), known({})]
  admits(spent)
  admits(spent)
  refused(read(presenter.call(spent)), 'grant-exhausted')
  admits(revoked)
  now(ledger.revoke({ kind: 'grant', jti: revoked.grant.claims.jti }, 'bench'))
  refused(read(presenter.call(revoked)), 'grant-revoked')
  // Unknown, and perhaps issued in the second before this ledger started.
  refused(read(presenter.call(presenter.hold({ txn }))), 'grant-unknown', 'incarnation-mismatch')
  refused(read(presenter.call(presenter.hold({ txn, ttl: -1 }))), 'token-expired')
  for (const { grant, reason } of forgeries(honest)) refused(read(presenter.call({ ...honest, grant })), reason)
  if (presenter.bound) checkProofs(read, presenter, honest)
  now(ledger.endTask(txn, 'completed'))
  refused(read(presenter.call(honest)), 'task-ended')
}

function checkProofs(read: (call: IncomingCall) => Verdict, presenter: Presenter, honest: Held): void {
  const call = presenter.call(honest)
  const first = read(call)
  must(first.kind === 'admitted', 'a fresh proof is admitted')
  void first.settle({ status: 200 })
  refused(read(call), 'proof-replayed')
  refused(read({ ...call, method: 'HEAD' }), 'proof-method')
  const stranger = presenter.call({ grant: honest.grant, holder: createHolder() })
  refused(read(stranger), 'binding-failed')
  const naked = presenter.call({ grant: honest.grant, holder: undefined })
  refused(read(naked), 'binding-failed')
}

/** The same token with another signature, another payload, and a payload that says one thing twice. */
function forgeries({ grant }: Held): { readonly grant: Held['grant']; readonly reason: string }[] {
  const [header = '', payload = '', signature = ''] = grant.token.split('.')
  const json = Buffer.from(payload, 'base64url').toString()
  const encode = (text: string): string => Buffer.from(text).toString('base64url')
  const flipped = Buffer.from(signature, 'base64url').map((byte, index) => (index === 40 ? byte ^ 1 : byte))
  const wider = json.replace('order:123', 'order:124')
  const twice = json.replace('{', '{"jti":"gr_AAAAAAAAAAAAAAAAAAAAAA",')
  const forged = (...segments: readonly string[]) => ({ ...grant, token: segments.join('.') })
  return [
    { grant: forged(header, payload, Buffer.from(flipped).toString('base64url')), reason: 'token-signature' },
    { grant: forged(header, encode(wider), signature), reason: 'token-signature' },
    { grant: forged(header, encode(twice), signature), reason: 'token-malformed' },
    { grant: forged(header, `${payload}=`, signature), reason: 'token-malformed' },
  ]
}

function refused(verdict: Verdict, ...reasons: readonly string[]): void {
  const got = verdict.kind === 'refused' ? verdict.reason : verdict.kind
  must(reasons.includes(got), `a call is refused for ${reasons.join(' or ')} (it is ${got})`)
}
