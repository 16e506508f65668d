import {
  DEFAULT_SKEW_SECONDS,
  DETAIL_TYPE,
  isJsonObject,
  ok,
  randomId,
  TYP,
  type JsonObject,
  type JsonValue,
} from '@hallpass/core'
import type { Engine } from '../engine.ts'
import type { OAuthRequest } from '../http/oauth-request.ts'
import { reject, type Step } from '../http/refusal.ts'
import { proveKey, spendProof } from '../identity/prove-key.ts'
import type { Registrant } from '../identity/registrant.ts'

/** An API, an operator or a signaler that calls one of the broker's own endpoints with a token of its own. */
export type Caller =
  | { readonly kind: 'api'; readonly id: string; readonly audience: string; readonly jkt: string; readonly exp: number }
  | { readonly kind: 'operator' | 'signaler'; readonly id: string; readonly jkt: string }

export const CALLER_TOKEN_SECONDS = 300

/** Issues the token with which a registered API reports uses, an operator revokes, or a signaler tells: good here only, with its own key only. */
export async function callerToken(engine: Engine, registrant: Registrant, jkt: string): Promise<Step<object>> {
  if (registrant.kind === 'agent') {
    return reject('invalid_authorization_details', {
      reason: 'details-invalid',
      detail: 'an agent names a task or a call',
    })
  }
  const iat = Math.floor(engine.clock())
  const entry =
    registrant.kind === 'api'
      ? { type: DETAIL_TYPE.api, locations: [registrant.audience] }
      : { type: DETAIL_TYPE[registrant.kind], locations: [engine.issuer] }
  const payload = {
    iss: engine.issuer,
    sub: registrant.id,
    client_id: registrant.id,
    aud: engine.issuer,
    iat,
    exp: iat + CALLER_TOKEN_SECONDS,
    jti: randomId('ct_'),
    cnf: { jkt },
    authorization_details: [entry],
  }
  const token = await engine.tokens.sign(JSON.stringify(payload), TYP.accessToken)
  return ok({
    access_token: token,
    token_type: 'DPoP',
    expires_in: CALLER_TOKEN_SECONDS,
    authorization_details: [entry],
    cnf: { jkt },
  })
}

const SCHEME = /^DPoP ([A-Za-z0-9._~+/-]+=*)$/i

/**
 * Recognises the caller of an endpoint that takes caller tokens: `Authorization: DPoP`, and a proof over method, URL,
 * token and body. A task token or a grant is not a caller token, whatever else is right about it.
 */
export async function recogniseCaller(engine: Engine, request: OAuthRequest, url: string): Promise<Step<Caller>> {
  const { method = 'POST' } = request
  const token = SCHEME.exec(request.authorization ?? '')?.[1]
  if (token === undefined) return reject('invalid_token', { reason: 'credential-missing' })
  const payload = await engine.tokens.verify(token)
  if (!payload.ok) return reject('invalid_token', payload)
  const caller = callerOf(engine, payload.value)
  if (caller === undefined)
    return reject('invalid_token', { reason: 'token-claims', detail: 'not a caller token of this broker' })
  if ((payload.value['exp'] as number) <= engine.clock()) return reject('invalid_token', { reason: 'token-expired' })
  const proof = await proveKey(engine, request, { url, method, accessToken: token, jkt: caller.jkt, coversBody: true })
  if (!proof.ok) return proof
  const spent = await spendProof(engine, proof.value)
  return spent.ok ? ok(caller) : spent
}

function callerOf(engine: Engine, payload: JsonObject): Caller | undefined {
  const { iss, aud, client_id: id, exp, iat, cnf, authorization_details: details } = payload
  if (iss !== engine.issuer || aud !== engine.issuer || typeof id !== 'string' || Object.hasOwn(payload, 'txn'))
    return undefined
  if (typeof exp !== 'number' || typeof iat !== 'number' || iat > engine.clock() + DEFAULT_SKEW_SECONDS)
    return undefined
  const jkt = isJsonObject(cnf) ? cnf['jkt'] : undefined
  const entry: JsonValue | undefined =
    Array.isArray(details) && details.length === 1 ? (details[0] as JsonValue) : undefined
  if (typeof jkt !== 'string' || !isJsonObject(entry)) return undefined
  const audience: unknown = Array.isArray(entry['locations']) ? entry['locations'][0] : undefined
  if (typeof audience !== 'string') return undefined
  // Whoever was struck off the registrations since the token was issued is nobody now.
  const registrant = engine.callers.get(id)
  if (entry['type'] === DETAIL_TYPE.api && registrant?.kind === 'api' && registrant.audience === audience) {
    return { kind: 'api', id, audience, jkt, exp }
  }
  if (registrant?.kind !== 'operator' && registrant?.kind !== 'signaler') return undefined
  const isOwn = entry['type'] === DETAIL_TYPE[registrant.kind] && audience === engine.issuer
  return isOwn ? { kind: registrant.kind, id, jkt } : undefined
}
