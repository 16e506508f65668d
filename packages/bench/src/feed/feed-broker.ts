import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createBroker, privateKeySigner, signingKeys } from '@hallpass/broker'
import type { Broker } from '@hallpass/broker'
import { privateKeyJwt, statusListsOf } from '@hallpass/core'
import type { Jwk } from '@hallpass/core'
import { testIdentity } from '@hallpass/testing'
import { getRequestListener } from '@hono/node-server'
import { RESOURCE } from '../world/agent-call.ts'
import { openLedger, register, TASK } from '../world/bench-ledger.ts'
import { openBenchTrail } from '../world/bench-trail.ts'
import { createEs256Key, segment } from '../world/es256-key.ts'
import { AGENT, createBenchIssuer } from '../world/grant.ts'
import { AUDIENCE, ordersApi } from '../world/orders-api.ts'
import { ordersPolicy } from '../world/orders-policy.ts'

export interface LiveGrant {
  readonly token: string
  readonly jti: string
}

/** A broker that listens on loopback, for an API whose verifiers keep stores of their own. */
export interface FeedBroker {
  readonly issuer: string
  readonly broker: Broker
  /** What the API proves itself with. */
  readonly apiKey: Jwk
  /** A living grant that the ledger knows, bound to no key: its requests cost a verifier no signature. */
  grant(): LiveGrant
  close(): Promise<void>
}

const KID = 'bench-1'

export async function openFeedBroker(): Promise<FeedBroker> {
  let answer: (request: Request) => Promise<Response> = async () => new Response(null, { status: 503 })
  const listener = getRequestListener(async (request) => answer(request))
  const server = createServer((incoming, outgoing) => void listener(incoming, outgoing))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const [key, apiKey] = [createEs256Key(), createEs256Key()]
  const [ledger, trail] = [openLedger(), openBenchTrail()]
  const jwks = { keys: [{ ...apiKey.jwk, kid: 'api' }] }
  const broker = createBroker({
    issuer,
    policy: ordersPolicy(testIdentity(AGENT, { audience: issuer, clock: () => Date.now() / 1000 }).registered),
    ledger,
    keys: signingKeys({ current: privateKeySigner(key.privateJwk, KID) }),
    audit: trail,
    apis: [{ api: ordersApi, ledger: 'own', identity: privateKeyJwt({ audience: issuer, subject: AUDIENCE, jwks }) }],
  })
  answer = async (request) => broker.fetch(request)
  const shapes = createBenchIssuer(key)
  const header = segment({ alg: 'ES256', typ: 'at+jwt', kid: KID })
  let grants = 0
  return {
    issuer,
    broker,
    apiKey: apiKey.privateJwk,
    grant() {
      const shape = shapes.grant({ txn: TASK, action: 'order.read', resource: RESOURCE, calls: 100 })
      grants += 1
      const status = { status_list: { uri: `${statusListsOf(issuer, ledger.incarnation)}0-0`, idx: grants } }
      const claims = { ...shape.claims, iss: issuer, status }
      register(ledger, claims)
      return { token: key.sign(header, claims), jti: claims.jti }
    },
    async close() {
      await broker.close()
      server.closeAllConnections()
      server.close()
      await trail.close()
    },
  }
}
