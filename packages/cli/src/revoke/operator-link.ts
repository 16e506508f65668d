import type { JsonObject, TokenSource } from '@hallpass/core'
import { CLIENT_ASSERTION_TYPE, GRANT_TYPE, printable } from '@hallpass/core'
import { Failure } from '../command/failure.ts'
import type { ProofFor } from './operator-token.ts'
import { proofMaker } from './operator-token.ts'

const TIMEOUT_MS = 30_000
const MAX_ANSWER_CHARS = 10_000_000

interface Answer {
  readonly status: number
  readonly body: JsonObject
  readonly nonce: string | undefined
}

async function readAnswer(response: Response): Promise<Answer> {
  const text = await response.text()
  let body: unknown
  try {
    body = text.length <= MAX_ANSWER_CHARS ? JSON.parse(text) : undefined
  } catch {
    body = undefined
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new Failure(`What answers there with ${response.status} is no Hallpass broker; check --issuer`)
  }
  return { status: response.status, body: body as JsonObject, nonce: response.headers.get('dpop-nonce') ?? undefined }
}

function refused({ status, body }: Answer, what: string): Failure {
  const words = [body['error'], body['reason'], body['error_description']].flatMap((word) =>
    typeof word === 'string' ? [printable(word)] : [],
  )
  const event = typeof body['event'] === 'string' ? `. Event: ${printable(body['event'])}` : ''
  const hint =
    status === 401 || status === 400 ? '. Is this key registered under `operators` in the configuration?' : ''
  return new Failure(`The broker refused ${what}: ${words.join(', ') || `it answered ${status}`}${event}${hint}`)
}

/** A connection to a running broker with an operator's rights: every request has a fresh proof over its body. */
export interface OperatorLink {
  post(path: string, body: object): Promise<JsonObject>
}

/** Gets an operator's token: bound to a key of this process, good for a few minutes and at this broker only. */
export async function connectOperator(issuer: string, identity: TokenSource): Promise<OperatorLink> {
  const makeProof = proofMaker()

  const send = async (
    wanted: Required<Pick<ProofFor, 'url' | 'body'>> & Pick<ProofFor, 'accessToken'>,
    type: string,
  ) => {
    const attempt = async (nonce?: string): Promise<Answer> => {
      const proof = makeProof({ method: 'POST', ...wanted, ...(nonce !== undefined && { nonce }) })
      const authorization = wanted.accessToken === undefined ? {} : { authorization: `DPoP ${wanted.accessToken}` }
      const headers = { ...authorization, dpop: proof, 'content-type': type }
      let response: Response
      try {
        const signal = AbortSignal.timeout(TIMEOUT_MS)
        response = await fetch(wanted.url, { method: 'POST', headers, body: wanted.body, redirect: 'error', signal })
      } catch {
        throw new Failure(`No broker answers at ${issuer}. Start it with: hallpass serve, or give --issuer`)
      }
      return readAnswer(response)
    }
    const first = await attempt()
    const wantsNonce = first.body['error'] === 'use_dpop_nonce' && first.nonce !== undefined
    return wantsNonce ? attempt(first.nonce) : first
  }

  const form = new URLSearchParams({
    grant_type: GRANT_TYPE.clientCredentials,
    client_id: identity.clientId,
    client_assertion_type: CLIENT_ASSERTION_TYPE.jwtBearer,
    client_assertion: await identity.assertion(issuer),
    resource: issuer,
  })
  const granted = await send({ url: `${issuer}/token`, body: form.toString() }, 'application/x-www-form-urlencoded')
  const { access_token: accessToken, token_type: type } = granted.body
  if (granted.status !== 200) throw refused(granted, `the operator "${identity.clientId}"`)
  if (typeof accessToken !== 'string' || type !== 'DPoP')
    throw new Failure('The broker answered without a token bound to our key')
  return {
    async post(path, body) {
      const answer = await send(
        { url: `${issuer}${path}`, body: JSON.stringify(body), accessToken },
        'application/json',
      )
      if (answer.status !== 200) throw refused(answer, 'this')
      return answer.body
    },
  }
}
