import { decodeBase64url, importVerifyKey, verifySignature } from '#crypto'
import type { Jwk } from '../identity/identity.ts'
import { isObject } from '../json/is-object.ts'
import type { RefusalReason } from '../reason.ts'
import { isPromise, ok, refuse } from '../result.ts'
import type { MaybePromise, Refused, Result } from '../result.ts'
import { isSignatureAlgorithm } from '../token/algorithm.ts'
import type { SignatureAlgorithm, VerifyKey } from '../token/algorithm.ts'
import { MAX_PROOF_BYTES, TYP } from '../token/constants.ts'
import { checkHeader, readSegment, splitToken } from '../token/preflight.ts'
import { jwkThumbprint } from '../token/thumbprint.ts'
import type { ProofExpectation } from './expectation.ts'
import { checkProofClaims } from './proof-claims.ts'
import type { ProofClaims } from './proof-claims.ts'
import type { ProofKey } from './proof-key.ts'

/** What a proof that holds says. Replay is still to be checked, until `acceptUntil`. */
export interface VerifiedProof extends ProofClaims {
  readonly jkt: string
}

type Verdict = Result<VerifiedProof, RefusalReason>

const DEFAULT_ALGORITHMS = ['ES256']
const malformed = (detail: string): Refused<RefusalReason> => refuse('proof-malformed', detail)

/**
 * Checks a DPoP proof for one request (RFC 9449 section 4.3): cheap claims, then key import, then signature.
 *
 * Needs `content_digest` where there is a body, `ath` where there is an access token, the key `jkt` where one is given.
 * Does not detect replay (the ledger does) nor a repeated header, but refuses a value that joins two.
 */
export function verifyProof(proof: string, expect: ProofExpectation): MaybePromise<Verdict> {
  const parts = splitToken(proof, MAX_PROOF_BYTES)
  if (parts === undefined) return malformed('not one compact JWS within its size limit')
  const [headerSegment, payloadSegment, signatureSegment] = parts
  const { algorithms = DEFAULT_ALGORITHMS, checkSignature = verifySignature } = expect
  const cached = expect.keys?.get(headerSegment)
  const known = cached !== undefined && algorithms.includes(cached.key.alg) ? cached : undefined
  const holder = known ?? readHolder(headerSegment, algorithms)
  if ('reason' in holder) return holder
  const payload = readSegment(payloadSegment)
  if (payload === undefined) return malformed('the payload is not canonical base64url of strict JSON')
  const claims = checkProofClaims(payload, expect)
  if (!claims.ok) return claims
  const { jkt } = holder
  if (expect.jkt !== undefined && expect.jkt !== jkt) return refuse('binding-failed')
  const signature = decodeBase64url(signatureSegment)
  if (signature === undefined) return malformed('the signature is not canonical base64url')
  const check = (key: VerifyKey): MaybePromise<Verdict> => {
    const conclude = (holds: boolean): Verdict => {
      if (!holds) return refuse('proof-signature')
      if (holder !== known) expect.keys?.set(headerSegment, { key, jkt })
      return ok({ jkt, ...claims.value })
    }
    const holds = checkSignature(key, proof.slice(0, headerSegment.length + 1 + payloadSegment.length), signature)
    return isPromise(holds) ? holds.then(conclude) : conclude(holds)
  }
  return 'key' in holder ? check(holder.key) : importThen(holder, check)
}

function importThen(holder: Holder, check: (key: VerifyKey) => MaybePromise<Verdict>): MaybePromise<Verdict> {
  const imported = importVerifyKey(holder.jwk, holder.alg)
  const use = (key: Result<VerifyKey, 'key-invalid'>): MaybePromise<Verdict> =>
    key.ok ? check(key.value) : refuse('proof-key', 'the key in the proof is not a public key that fits its algorithm')
  return isPromise(imported) ? imported.then(use) : use(imported)
}

interface Holder {
  readonly jwk: Jwk
  readonly alg: SignatureAlgorithm
  readonly jkt: ProofKey['jkt']
}

function readHolder(segment: string, algorithms: readonly string[]): Holder | Refused<RefusalReason> {
  const header = readSegment(segment)
  if (header === undefined) return malformed('the header is not canonical base64url of strict JSON')
  const bad = checkHeader(header, { typ: [TYP.proof], alg: algorithms, maxBytes: MAX_PROOF_BYTES, allowJwk: true })
  // A reason of its own: what is wrong with the proof is not wrong with the token.
  if (bad !== undefined) return malformed(`the header is not one of a proof: ${bad.reason}`)
  const { jwk, alg } = header
  if (!isObject(jwk) || !isSignatureAlgorithm(alg)) return refuse('proof-key', 'the proof has no key')
  if (Object.hasOwn(jwk, 'k') || Object.hasOwn(jwk, 'd'))
    return refuse('proof-key', 'the proof has a key that is not public')
  try {
    const key = jwk as Jwk
    return { jwk: key, alg, jkt: jwkThumbprint(key) }
  } catch {
    return refuse('proof-key', 'the key in the proof is not a public key that fits its algorithm')
  }
}
