import { setTimeout as delay } from 'node:timers/promises'
import type { ProofMaker } from '@hallpass/client'
import { CLIENT_ASSERTION_TYPE, DETAIL_TYPE, GRANT_TYPE, TOKEN_TYPE_URI } from '@hallpass/core'
import type { TokenSource } from '@hallpass/core'
import type { ActionName, GuardedApi } from '../world/orders.ts'
import { PURPOSE } from '../world/policy.ts'

export interface OpenTask {
  readonly txn: string
  readonly token: string
}

export interface HeldGrant {
  readonly api: GuardedApi
  readonly action: ActionName
  readonly token: string
  readonly jti: string
  readonly txn: string
  readonly exp: number
  readonly sent: number
  readonly received: number
}

export interface BrokerWire {
  openTask(): Promise<OpenTask | undefined>
  grant(task: OpenTask, api: GuardedApi, action: ActionName): Promise<HeldGrant | undefined>
  /** When it was acknowledged; undefined where it was not. */
  endTask(task: OpenTask): Promise<number | undefined>
}

interface Answer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

const TRIES = 4
const PATIENCE_MS = 8000

/**
 * The broker by hand, not through the client: the client would stop by itself where a grant is spent, and it is the
 * verifiers that are tried here.
 */
export function brokerWire(issuer: string, identity: TokenSource, { proof }: ProofMaker): BrokerWire {
  async function post(path: string, fields: () => Promise<Record<string, string>>): Promise<Answer | undefined> {
    for (let tries = 0; tries < TRIES; tries++) {
      const url = `${issuer}/${path}`
      try {
        const body = new URLSearchParams(await fields()).toString()
        const dpop = await proof({ method: 'POST', url, now: Date.now() / 1000, body })
        const headers = { 'content-type': 'application/x-www-form-urlencoded', dpop }
        const signal = AbortSignal.timeout(PATIENCE_MS)
        const response = await fetch(url, { method: 'POST', headers, body, signal })
        const text = await response.text()
        if (response.status < 500) {
          return { status: response.status, body: text === '' ? {} : (JSON.parse(text) as Answer['body']) }
        }
      } catch {
        // Cut off, or the broker is gone for the moment.
      }
      await delay(150)
    }
    return undefined
  }
  const tokenIn = (answer: Answer | undefined): string | undefined => {
    const token = answer?.status === 200 ? answer.body['access_token'] : undefined
    return typeof token === 'string' ? token : undefined
  }

  return {
    async openTask() {
      const answer = await post('token', async () => ({
        grant_type: GRANT_TYPE.clientCredentials,
        resource: issuer,
        authorization_details: JSON.stringify([{ type: DETAIL_TYPE.task, purpose: PURPOSE }]),
        client_assertion_type: CLIENT_ASSERTION_TYPE.jwtBearer,
        client_assertion: await identity.assertion(issuer),
      }))
      const token = tokenIn(answer)
      return token === undefined ? undefined : { token, txn: String(answer?.body['txn']) }
    },

    async grant({ token: subject, txn }, guarded, action) {
      const { api, nameOf } = guarded
      const sent = Date.now()
      const detail = {
        type: DETAIL_TYPE.toolCall,
        locations: [api.audience],
        actions: [nameOf(action)],
        identifier: 'order:123',
        parameters: parametersOf(action, 0),
      }
      const answer = await post('token', async () => ({
        grant_type: GRANT_TYPE.tokenExchange,
        subject_token: subject,
        subject_token_type: TOKEN_TYPE_URI.accessToken,
        resource: api.audience,
        authorization_details: JSON.stringify([detail]),
      }))
      const token = tokenIn(answer)
      if (token === undefined) return undefined
      const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as {
        readonly jti: string
        readonly exp: number
      }
      return { api: guarded, action, token, jti: claims.jti, txn, exp: claims.exp, sent, received: Date.now() }
    },

    async endTask({ token }) {
      const answer = await post('revoke', async () => ({ token, reason: 'completed' }))
      return answer?.status === 200 ? Date.now() : undefined
    },
  }
}

/** What a call asks for; different amounts under one grant where the policy leaves them open. */
export function parametersOf(action: ActionName, n: number): Readonly<Record<string, string>> {
  if (action === 'refund.create') return { amount: `${20 + (n % 7)}.50` }
  if (action === 'credit.add') return { amount: `${1 + (n % 8)}.25` }
  return { text: 'soak' }
}
