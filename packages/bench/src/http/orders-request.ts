import { createHolder } from '../world/holder.ts'
import type { Holder } from '../world/holder.ts'
import { importEs256Key } from '../world/es256-key.ts'
import { PATH } from '../world/agent-call.ts'
import { AUDIENCE } from '../world/orders-api.ts'
import type { HandedGrant } from './server-kind.ts'

/** A grant in the hands of the load. */
export interface HeldGrant {
  readonly token: string
  readonly holder: Holder | undefined
}

export const holdGrant = ({ token, key }: HandedGrant): HeldGrant => ({
  token,
  holder: key === undefined ? undefined : createHolder(importEs256Key(key)),
})

/** One request as bytes: with a fresh proof where the grant is bound. */
export function ordersRequest({ token, holder }: HeldGrant, path: string = PATH, proofFor: string = path): Buffer {
  const credential =
    holder === undefined
      ? `Authorization: Bearer ${token}\r\n`
      : `Authorization: DPoP ${token}\r\nDPoP: ${holder.proof({ method: 'GET', url: AUDIENCE + proofFor, token })}\r\n`
  const { host } = new URL(AUDIENCE)
  const usual = `Host: ${host}\r\nX-Forwarded-Proto: https\r\nAccept: */*\r\nUser-Agent: agent/1.0\r\n`
  return Buffer.from(`GET ${path} HTTP/1.1\r\n${usual}${credential}\r\n`, 'latin1')
}

export const withoutCredential = (): Buffer =>
  Buffer.from(`GET ${PATH} HTTP/1.1\r\nHost: ${new URL(AUDIENCE).host}\r\n\r\n`, 'latin1')
