import { createBroker, generateSigningKeys } from '@hallpass/broker'
import type { Answer, Broker } from '@hallpass/broker'
import type { JsonObject, Ledger, WorkloadIdentity } from '@hallpass/core'
import { CLIENT_ASSERTION_TYPE, DETAIL_TYPE, GRANT_TYPE, TOKEN_TYPE_URI } from '@hallpass/core'
import { testIdentity } from '@hallpass/testing'
import { emptyLedger } from './bench-ledger.ts'
import { openBenchTrail } from './bench-trail.ts'
import type { BenchTrail } from './bench-trail.ts'
import { AGENT } from './grant.ts'
import { createHolder } from './holder.ts'
import type { Holder } from './holder.ts'
import { AUDIENCE, ISSUER } from './orders-api.ts'
import { ordersPolicy, PURPOSE } from './orders-policy.ts'

export interface Wish {
  readonly action: string
  readonly resource: string
  readonly parameters?: JsonObject
}

/** One request to the token endpoint, ready to be sent once. */
export interface TokenRequest {
  readonly parameters: Readonly<Record<string, string>>
  readonly proof: string
}

/** A broker in this process, and an agent of it with one open task. */
export interface Desk {
  readonly broker: Broker
  readonly ledger: Ledger
  readonly trail: BenchTrail
  readonly holder: Holder
  readonly taskToken: string
  /** A token exchange for one grant, with a fresh proof. */
  request(wish: Wish, by?: Holder): TokenRequest
  ask(request: TokenRequest): Promise<Answer>
  close(): Promise<void>
}

export const TOKEN_URL = `${ISSUER}/token`

type OrdersPolicy = ReturnType<typeof ordersPolicy>

export async function openDesk(policyFor: (identity: WorkloadIdentity) => OrdersPolicy = ordersPolicy): Promise<Desk> {
  const identity = testIdentity(AGENT, { audience: ISSUER, clock: () => Date.now() / 1000 })
  const trail = openBenchTrail()
  trail.chain(true)
  const ledger = emptyLedger()
  const broker = createBroker({
    issuer: ISSUER,
    policy: policyFor(identity.registered),
    ledger,
    keys: generateSigningKeys(),
    audit: trail,
    sweepSeconds: 0,
    rates: { perCaller: 'unlimited' },
  })
  const holder = createHolder()
  const proof = (by: Holder): string => by.proof({ method: 'POST', url: TOKEN_URL })
  const ask = ({ parameters, proof: value }: TokenRequest): Promise<Answer> => broker.token(parameters, value)
  const opened = await ask({
    parameters: {
      grant_type: GRANT_TYPE.clientCredentials,
      resource: ISSUER,
      client_id: AGENT,
      client_assertion_type: CLIENT_ASSERTION_TYPE.jwtBearer,
      client_assertion: await identity.source.assertion(ISSUER),
      authorization_details: JSON.stringify([{ type: DETAIL_TYPE.task, purpose: PURPOSE }]),
    },
    proof: proof(holder),
  })
  const taskToken = tokenOf(opened)
  if (taskToken === undefined) throw new Error(`The broker did not open the task: ${JSON.stringify(opened.body)}`)
  return {
    broker,
    ledger,
    trail,
    holder,
    taskToken,
    ask,
    async close() {
      await broker.close()
      await trail.close()
    },
    request({ action, resource, parameters = {} }, by = holder) {
      const entry = {
        type: DETAIL_TYPE.toolCall,
        locations: [AUDIENCE],
        actions: [action],
        identifier: resource,
        parameters,
      }
      return {
        parameters: {
          grant_type: GRANT_TYPE.tokenExchange,
          subject_token: taskToken,
          subject_token_type: TOKEN_TYPE_URI.accessToken,
          resource: AUDIENCE,
          authorization_details: JSON.stringify([entry]),
        },
        proof: proof(by),
      }
    },
  }
}

/** The access token of an answer; undefined for a refusal. */
export function tokenOf({ status, body }: Answer): string | undefined {
  const token = body !== undefined && 'access_token' in body ? body.access_token : undefined
  return status === 200 && typeof token === 'string' ? token : undefined
}
