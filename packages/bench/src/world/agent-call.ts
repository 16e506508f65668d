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

interface Target {
  readonly method: string
  readonly path: string
}
const READ: Target = { method: 'GET', path: PATH }

/** An unbound grant presented as a bearer token. */
export function bearerCall(token: string, { method, path }: Target = READ): IncomingCall {
  return { method, target: path, headers: [...USUAL, 'Authorization', wireText(`Bearer ${token}`)] }
}

/** A bound grant presented with a fresh proof by its holder. */
export function dpopCall(token: string, holder: Holder, { method, path }: Target = READ): IncomingCall {
  const proof = holder.proof({ method, url: AUDIENCE + path, token })
  const fields = ['Authorization', wireText(`DPoP ${token}`), 'DPoP', wireText(proof)]
  return { method, target: path, headers: [...USUAL, ...fields] }
}
