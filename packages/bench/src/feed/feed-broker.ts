import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createBroker, privateKeySigner, signingKeys } from '@hallpass/broker'
import type { Broker } from '@hallpass/broker'
import { privateKeyJwt, statusListsOf } from '@hallpass/core'
import type { Jwk, Ledger } from '@hallpass/core'
import { testIdentity } from '@hallpass/testing'
import { getRequestListener } from '@hono/node-server'
import { RESOURCE } from '../world/agent-call.ts'
import { grantRecord, TASK, taskRecord } from '../world/bench-ledger.ts'
import { openBenchTrail } from '../world/bench-trail.ts'
import { createEs256Key, segment } from '../world/es256-key.ts'
import { AGENT, createBenchIssuer } from '../world/grant.ts'
import { AUDIENCE, ordersApi } from '../world/orders-api.ts'
import { ordersPolicy } from '../world/orders-policy.ts'
import { inThisProcess, type OpenFeedStore } from './feed-store.ts'

export interface LiveGrant {
  readonly token: string
  readonly jti: string
}

/**
 * Two brokers on one store, one that kills and one that listens on loopback, for an API whose verifiers keep stores of
 * their own. With a store in this process they are the same.
 */
export interface FeedBroker {
  readonly issuer: string
  /** Kills. */
  readonly broker: Broker
  /** What the API proves itself with. */
  readonly apiKey: Jwk
  /** A living grant that the ledger knows, bound to no key: its requests cost a verifier no signature. */
  grant(): Promise<LiveGrant>
  close(): Promise<void>
}

const KID = 'bench-1'

export async function openFeedBroker(openStore: OpenFeedStore = inThisProcess): Promise<FeedBroker> {
  const store = await openStore()
  let answer: (request: Request) => Promise<Response> = async () => new Response(null, { status: 503 })
  const listener = getRequestListener(async (request) => answer(request))
  const server = createServer((incoming, outgoing) => void listener(incoming, outgoing))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const [key, apiKey] = [createEs256Key(), createEs256Key()]
  const trail = openBenchTrail()
  const jwks = { keys: [{ ...apiKey.jwk, kid: 'api' }] }
  const policy = ordersPolicy(testIdentity(AGENT, { audience: issuer, clock: () => Date.now() / 1000 }).registered)
  const brokerOn = (ledger: Ledger): Broker =>
    createBroker({
      issuer,
      policy,
      ledger,
      keys: signingKeys({ current: privateKeySigner(key.privateJwk, KID) }),
      audit: trail,
      apis: [{ api: ordersApi, ledger: 'own', identity: privateKeyJwt({ audience: issuer, subject: AUDIENCE, jwks }) }],
    })
  const { killing, serving } = store
  const broker = brokerOn(killing)
  const followed = serving === killing ? broker : brokerOn(serving)
  answer = async (request) => followed.fetch(request)
  const opened = await killing.openTask(taskRecord(killing, TASK, await killing.now()), { maxOpenTasks: 16 })
  if (!opened.ok) throw new Error(`The ledger did not open the task: ${opened.reason}.`)
  const shapes = createBenchIssuer(key)
  const header = segment({ alg: 'ES256', typ: 'at+jwt', kid: KID })
  let grants = 0
  return {
    issuer,
    broker,
    apiKey: apiKey.privateJwk,
    async grant() {
      const shape = shapes.grant({ txn: TASK, action: 'order.read', resource: RESOURCE, calls: 100 })
      grants += 1
      const status = { status_list: { uri: `${statusListsOf(issuer, killing.incarnation)}0-0`, idx: grants } }
      const claims = { ...shape.claims, iss: issuer, status }
      const registered = await killing.registerGrant(grantRecord(killing, claims))
      if (!registered.ok) throw new Error(`The ledger did not register the grant: ${registered.reason}.`)
      return { token: key.sign(header, claims), jti: claims.jti }
    },
    async close() {
      await Promise.all([broker.close(), followed.close()])
      server.closeAllConnections()
      server.close()
      await trail.close()
      await store.close()
    },
  }
}
