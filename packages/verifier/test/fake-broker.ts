import type { AuditEvent, JsonValue, Outcome, RedeemRequest, UseLedger } from '@hallpass/core'
import { verifyProof } from '@hallpass/core'
import { ISSUER, NOW } from './test-issuer.ts'

type Call =
  | { op: 'redeem'; request: RedeemRequest }
  | { op: 'settle'; reservation: string; outcome: Outcome }
  | { op: 'give_back'; reservation: string; reason: string }

interface Received {
  readonly path: string
  readonly body: string
  readonly jti: string
}

/** What happens to one request before the fake looks at it. */
export type Trouble = (request: Received) => Response | Promise<Response> | undefined

/** The broker's side of `/token`, `/redeem` and `/audit`, as strict about proofs as the real one, over a given ledger. */
export function fakeBroker(ledger: UseLedger, options: { trouble?: Trouble; nonce?: string } = {}) {
  const received: Received[] = []
  const events: AuditEvent[] = []
  let tokens = 0
  let jkt: string | undefined
  const spent = new Set<string>()

  const proven = async (url: string, init: RequestInit, accessToken: string | undefined) => {
    const headers = new Headers(init.headers)
    const proof = await verifyProof(headers.get('dpop') ?? '', {
      method: init.method ?? '',
      url,
      now: NOW,
      body: new TextEncoder().encode(textOf(init)),
      ...(accessToken === undefined ? {} : { accessToken, jkt: jkt ?? '' }),
      ...(options.nonce === undefined ? {} : { nonce: (nonce) => nonce === options.nonce }),
    })
    if (proof.ok && spent.has(proof.value.jti)) return { ok: false as const, reason: 'proof-replayed' }
    if (proof.ok) spent.add(proof.value.jti)
    return proof
  }

  const perform = async (call: Call): Promise<JsonValue> => {
    switch (call.op) {
      case 'redeem':
        return (await ledger.redeem(call.request)) as unknown as JsonValue
      case 'settle':
        await ledger.settle(call.reservation, call.outcome)
        return { ok: true }
      default:
        return { ok: true, released: await ledger.giveBack(call.reservation, call.reason) }
    }
  }

  const fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const { pathname: path } = new URL(url)
    const token = /^DPoP (.+)$/.exec(new Headers(init.headers).get('authorization') ?? '')?.[1]
    const proof = await proven(url, init, token)
    const seen = { path, body: textOf(init), jti: proof.ok ? proof.value.jti : '' }
    received.push(seen)
    const trouble = await options.trouble?.(seen)
    if (trouble !== undefined) return trouble
    if (!proof.ok) {
      const nonce = options.nonce === undefined ? {} : { 'dpop-nonce': options.nonce }
      return Response.json(
        { error: proof.reason === 'proof-nonce' ? 'use_dpop_nonce' : 'invalid_dpop_proof' },
        { status: 401, headers: nonce },
      )
    }
    if (path === '/token') {
      jkt = proof.value.jkt
      tokens += 1
      return Response.json({ access_token: `token-${tokens}`, token_type: 'DPoP', expires_in: 300, cnf: { jkt } })
    }
    if (token !== `token-${tokens}`) return Response.json({ error: 'invalid_token' }, { status: 401 })
    const body = JSON.parse(textOf(init)) as { calls?: Call[]; events?: AuditEvent[] }
    if (path === '/audit') {
      events.push(...(body.events ?? []))
      return Response.json({ accepted: body.events?.length })
    }
    return Response.json({ answers: await Promise.all((body.calls ?? []).map(perform)) })
  }

  return {
    issuer: ISSUER,
    fetch,
    events,
    received,
    paths: () => received.map(({ path }) => path),
    /** From now on the token it gave out is not known any more. */
    forgetToken: () => void (tokens += 1),
  }
}

const textOf = ({ body }: RequestInit): string => (typeof body === 'string' ? body : '')
