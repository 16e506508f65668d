import type { Jwk } from '@hallpass/core'
import { makeAssertion } from '../attacks/workload.ts'
import type { DeskSetup } from './setup.ts'

/** The workload's own token from its identity provider: plain client credentials, nothing of Hallpass in it. */
export const workloadToken = async (setup: DeskSetup, key: Jwk): Promise<string> => {
  const response = await fetch(`${setup.issuer}/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      resource: setup.broker,
      client_id: 'support-bot-workload',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: await makeAssertion('support-bot-workload', key, setup.issuer),
    }),
  })
  const answer = (await response.json()) as { access_token?: string; error?: string }
  if (answer.access_token === undefined) throw new Error(`The identity provider answered ${response.status}`)
  return answer.access_token
}
