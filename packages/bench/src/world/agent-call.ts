import type { IncomingCall } from '@hallpass/verifier'
import type { Holder } from './holder.ts'
import { AUDIENCE } from './orders-api.ts'
import { wireText } from './wire-text.ts'

export const PATH = '/orders/123'
export const RESOURCE = 'order:123'

/** Header fields that the verifier has to look past; a server reads them all. */
const USUAL = [
  'Host',
  new URL(AUDIENCE).host,
  'Connection',
  'keep-alive',
  'Accept',
  '*/*',
  'User-Agent',
  'agent/1.0',
] as const

/** Where a call goes, and the route parameters that a router read off its path. */
export interface Target {
  readonly method: string
  readonly path: string
  readonly id: string
}
const READ: Target = { method: 'GET', path: PATH, id: '123' }

/** An unbound grant presented as a bearer token. */
export function bearerCall(token: string, { method, path, id }: Target = READ): IncomingCall {
  const headers = [...USUAL, 'Authorization', wireText(`Bearer ${token}`)]
  return { method, target: path, headers, route: { id } }
}

/** A bound grant presented with a fresh proof by its holder. */
export function dpopCall(token: string, holder: Holder, { method, path, id }: Target = READ): IncomingCall {
  const proof = holder.proof({ method, url: AUDIENCE + path, token })
  const fields = ['Authorization', wireText(`DPoP ${token}`), 'DPoP', wireText(proof)]
  return { method, target: path, headers: [...USUAL, ...fields], route: { id } }
}
