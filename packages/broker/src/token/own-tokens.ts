// The global of this name is a getter, which costs as much as what is asked of it.
import { Buffer } from 'node:buffer'
import {
  encodeBase64url,
  HallpassError,
  isPromise,
  MAX_GRANT_BYTES,
  ok,
  preflight,
  refuse,
  type JsonObject,
  type MaybePromise,
  type RefusalReason,
  type Result,
} from '@hallpass/core'
import { signatureHolds } from '../identity/signature-holds.ts'
import { importOnce } from '../identity/key-choice.ts'
import type { SigningKeys } from './signing-keys.ts'
import type { Signer } from './signer.ts'

/** Signs the broker's tokens and recognises them when they come back. */
export interface OwnTokens {
  /** Compact JWS over this JSON text with this `typ`. Throws `key-unavailable` when the key's holder does not answer. */
  sign(payload: string, typ: string): MaybePromise<string>
  /**
   * Payload of a token that this broker signed with a key it still trusts, of at most grant size.
   * Checks form and signature only: not expiry, audience, kind, binding or revocation.
   */
  verify(token: string): MaybePromise<Result<JsonObject, RefusalReason>>
  /** Whether `verify` found this token good before, so that it costs nothing. */
  knows(token: string): boolean
}

/** Longest payload that still makes a token its readers accept, with header and signature. */
export const MAX_PAYLOAD_BYTES = Math.floor((MAX_GRANT_BYTES - 512) * 0.75)

const MAX_REMEMBERED = 4096
const ACCESS_TOKEN = ['at+jwt']
const ALGORITHMS = ['ES256']

export function createOwnTokens(keys: SigningKeys, clock: () => number): OwnTokens {
  let headers: { readonly signer: Signer; readonly byTyp: Map<string, string> } | undefined
  const verified = new Map<string, { readonly payload: JsonObject; readonly kid: string }>()

  const headerOf = (signer: Signer, typ: string): string => {
    if (headers?.signer !== signer) headers = { signer, byTyp: new Map() }
    const known = headers.byTyp.get(typ)
    if (known !== undefined) return known
    const { alg, kid } = signer
    const header = Buffer.from(JSON.stringify({ typ, alg, kid })).toString('base64url')
    headers.byTyp.set(typ, header)
    return header
  }

  const remember = (token: string, payload: JsonObject, kid: string): void => {
    if (verified.size >= MAX_REMEMBERED) {
      for (const oldest of verified.keys()) {
        verified.delete(oldest)
        break
      }
    }
    verified.set(token, { payload, kid })
  }

  async function check(token: string): Promise<Result<JsonObject, RefusalReason>> {
    const parsed = preflight(token, { typ: ACCESS_TOKEN, alg: ALGORITHMS, maxBytes: MAX_GRANT_BYTES })
    if (!parsed.ok) return parsed
    const { header, payload, signingInput, signature } = parsed.value
    const kid = header['kid']
    const jwk = typeof kid === 'string' ? keys.find(kid, clock()) : undefined
    if (jwk === undefined || typeof kid !== 'string') return refuse('token-key-unknown')
    const key = await importOnce(jwk, 'ES256')
    if (!key.ok) return key
    if (!(await signatureHolds(key.value, signingInput, signature))) return refuse('token-signature')
    remember(token, payload, kid)
    return ok(payload)
  }

  return {
    sign(payload, typ) {
      const signer = keys.current()
      const input = `${headerOf(signer, typ)}.${Buffer.from(payload).toString('base64url')}`
      const finish = (signature: Uint8Array): string => {
        if (signature.length !== 64) throw keyUnavailable()
        return `${input}.${encodeBase64url(signature)}`
      }
      try {
        const signature = signer.sign(Buffer.from(input, 'latin1'))
        if (!isPromise(signature)) return finish(signature)
        return signature.then(finish).catch(() => {
          throw keyUnavailable()
        })
      } catch {
        throw keyUnavailable()
      }
    },
    knows: (token) => verified.has(token),
    verify(token) {
      // The key of this map is the whole canonical token, and an entry dies with its signing key.
      const known = verified.get(token)
      if (known && keys.find(known.kid, clock()) !== undefined) return ok(known.payload)
      return check(token)
    },
  }
}

const keyUnavailable = (): HallpassError =>
  new HallpassError('key-unavailable', 'The signing key did not sign; check its holder')
