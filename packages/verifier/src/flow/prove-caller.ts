import type { ProofKeyCache, RefusalReason, Refused, Result, SignatureCheck } from '@hallpass/core'
import { isPromise, refuse, verifyProof } from '@hallpass/core'
import type { NonceSource } from '../proof/nonce-source.ts'
import { NOT_TOKEN68, isNoToken68 } from '../request/credential.ts'
import type { GenuineToken } from '../token/genuine-token.ts'
import type { TokenVerifier } from '../token/token-verifier.ts'
import type { Attempt, Step } from './attempt.ts'
import { OUT_OF_ORDER } from './attempt.ts'
import { chain } from './chain.ts'

const BOUND_AS_BEARER: Refused<RefusalReason> = refuse(
  'binding-failed',
  'A grant that is bound to a key came without a proof',
)
const UNBOUND: Refused<RefusalReason> = refuse('binding-failed', 'A grant without a key came with the DPoP scheme')
const QUERY_UNBOUND: Refused<RefusalReason> = refuse(
  'proof-query',
  'Only a proof can bind a query to a grant with constraints',
)

const KEY_GONE: Refused<RefusalReason> = refuse('token-key-unknown', 'The issuer has dropped the key')

/** The token is the issuer's, for this audience, in time; from the cache or by its signature. */
export const genuineToken =
  (verifyToken: TokenVerifier): Step =>
  (attempt) => {
    const { credential, now } = attempt
    if (credential === undefined) return OUT_OF_ORDER
    const found = verifyToken(credential.token, now)
    return isPromise(found) ? found.then((later) => keepToken(attempt, later)) : keepToken(attempt, found)
  }

function keepToken(attempt: Attempt, found: Result<GenuineToken, RefusalReason>): Refused<RefusalReason> | undefined {
  if (!found.ok) {
    const isOther = found.reason === 'token-malformed' && isNoToken68(attempt.credential?.token ?? '')
    return isOther ? NOT_TOKEN68 : found
  }
  attempt.token = found.value
  return undefined
}

/** A bound grant comes with a proof, an unbound one without: nothing in between. */
export const boundCredential: Step = ({ credential, token }) => {
  if (token === undefined || credential === undefined) return OUT_OF_ORDER
  if (credential.proof === undefined) return token.jkt === undefined ? undefined : BOUND_AS_BEARER
  return token.jkt === undefined ? UNBOUND : undefined
}

interface ProofRules {
  readonly keys: ProofKeyCache
  readonly algorithms: readonly string[]
  readonly nonces: NonceSource | undefined
  readonly checkSignature: SignatureCheck
}

/**
 * The proof is by the grant's key and for exactly this request: method, URL, body, token, and the query where the grant
 * leaves parameters open (rule 8). Whether it was seen before is the ledger's to say.
 */
export const freshProof =
  ({ keys, algorithms, nonces, checkSignature }: ProofRules): Step =>
  (attempt) => {
    const { credential, token, call, now, url, query, body } = attempt
    if (credential === undefined || token === undefined) return OUT_OF_ORDER
    const open = token.entry.constraints !== undefined
    const { jkt, ath } = token
    if (credential.proof === undefined) {
      if (jkt !== undefined) return BOUND_AS_BEARER
      return open && query !== '' ? QUERY_UNBOUND : undefined
    }
    if (jkt === undefined || ath === undefined) return UNBOUND
    const proof = verifyProof(credential.proof, {
      method: call.method,
      url,
      now,
      ath,
      jkt,
      body,
      query,
      requireQueryDigest: open,
      keys,
      algorithms,
      checkSignature,
      ...(nonces === undefined ? {} : { nonce: (nonce) => nonce !== undefined && nonces.accepts(nonce, now) }),
    })
    return chain(proof, (verified) => {
      if (!verified.ok) return verified
      attempt.proof = verified.value
      return undefined
    })
  }

/**
 * The issuer still vouches for the key that signed the token. It may have dropped it while this request waited for its
 * body or for a thread; everything else that time can change is the ledger's to say.
 */
export const stillSigned: Step = ({ token }) => {
  if (token === undefined) return OUT_OF_ORDER
  return token.key.live ? undefined : KEY_GONE
}
