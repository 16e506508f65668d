import { createServer } from 'node:http'
import type { RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { memoryTrail } from '@hallpass/core'
import { createVerifier } from '../src/create-verifier.ts'
import { extAuthz } from '../src/ext-authz.ts'
import type { ExtAuthzOptions } from '../src/ext-authz.ts'
import { createLiveLedger } from './live-ledger.ts'
import { orders } from './test-api.ts'
import type { GrantWish } from './test-issuer.ts'
import { AUDIENCE, createTestIssuer } from './test-issuer.ts'

const closers: (() => Promise<void>)[] = []

/** Ends everything the tests of this file started. */
export async function closeAll(): Promise<void> {
  for (const close of closers.splice(0).toReversed()) await close()
}

export const onClose = (close: () => Promise<void>): void => void closers.push(close)

/** A server on a free loopback port, gone with `closeAll()`. */
export async function serve(listener: RequestListener): Promise<number> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onClose(
    () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  )
  return (server.address() as AddressInfo).port
}

export const SECRET = 'a-secret-of-the-backend-beside-it'

/** A verifier over a real memory ledger behind the ext-authz door, and calls that hold. */
export async function extAuthzRig(options: ExtAuthzOptions) {
  const issuer = createTestIssuer()
  const live = createLiveLedger()
  const audit = memoryTrail()
  const { clock, ledger } = live
  const verifier = createVerifier({ api: orders, issuer, ledger, audit, clock })
  const port = await serve(extAuthz(verifier, options))

  /** Header fields of a call that holds: a registered grant and its proof. */
  const credentials = async (wish: GrantWish & { method?: string; target: string; body?: string; query?: string }) => {
    const { method = 'GET', target, body, query, ...grantWish } = wish
    const token = issuer.grant(grantWish)
    await live.register(token)
    const proof = issuer.proof({ method, url: `${AUDIENCE}${target}`, token, body, query })
    return ['authorization', `DPoP ${token}`, 'dpop', proof]
  }
  return { issuer, live, audit, verifier, port, credentials }
}
