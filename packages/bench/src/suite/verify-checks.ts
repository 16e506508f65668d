import type { IncomingCall, Verdict } from '@hallpass/verifier'
import { now } from '../world/fresh-ledger.ts'
import { atOnce } from '../world/guarded-orders.ts'
import type { GuardedOrders } from '../world/guarded-orders.ts'
import { createHolder } from '../world/holder.ts'
import type { Held, Presenter } from '../world/presenter.ts'
import { must } from './must.ts'

const OTHER_RESOURCE = { method: 'GET', path: '/orders/999' } as const
const OTHER_ACTION = { method: 'POST', path: '/orders/123/refund' } as const

/**
 * The path that will be timed admits the honest call, records it twice, and refuses everything else; with a token it
 * has seen before as well as with one it has not.
 */
export function checkVerifier(orders: GuardedOrders, presenter: Presenter): void {
  const { verifier } = orders
  const read = (call: IncomingCall): Verdict => atOnce(verifier.verify('order.read', call))
  const write = (call: IncomingCall): Verdict => atOnce(verifier.verify('refund.create', call))
  const register = (...held: readonly Held[]): void => orders.restart(held.map(({ grant }) => grant))
  const admits = (held: Held): void => {
    const verdict = read(presenter.call(held))
    must(verdict.kind === 'admitted', 'the honest call is admitted')
    void verdict.settle({ status: 200 })
  }

  const honest = presenter.hold()
  register(honest)
  orders.events.clear()
  admits(honest)
  must(orders.events.count === 2, 'start and outcome of a use are on record')
  admits(honest)
  refused(read(presenter.call(honest, OTHER_RESOURCE)), 'resource-mismatch')
  refused(write(presenter.call(honest, OTHER_ACTION)), 'action-mismatch')

  const [spent, revoked, expired] = [presenter.hold({ calls: 2 }), presenter.hold(), presenter.hold({ ttl: -1 })]
  register(spent, revoked, honest)
  admits(spent)
  admits(spent)
  refused(read(presenter.call(spent)), 'grant-exhausted')
  admits(revoked)
  now(orders.ledger().revoke({ kind: 'grant', jti: revoked.grant.claims.jti }, 'bench'))
  refused(read(presenter.call(revoked)), 'grant-revoked')
  // Unknown, and perhaps issued in the second before this ledger started.
  refused(read(presenter.call(presenter.hold())), 'grant-unknown', 'incarnation-mismatch')
  refused(read(presenter.call(expired)), 'token-expired')
  for (const { grant, reason } of forgeries(honest)) refused(read(presenter.call({ ...honest, grant })), reason)
  if (presenter.bound) checkProofs(read, presenter, honest)
  now(orders.ledger().endTask(honest.grant.claims.txn, 'completed'))
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
