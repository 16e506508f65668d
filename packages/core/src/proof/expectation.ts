import type { SignatureCheck } from '../token/algorithm.ts'
import type { ProofKeyCache } from './proof-key.ts'

/** The request a proof has to be for. */
export interface ProofExpectation {
  readonly method: string
  /** `url` of `requestUrl`: configured origin, normalised path. */
  readonly url: string
  /** NumericDate seconds. */
  readonly now: number
  readonly accessToken?: string
  /** What `ath` has to be, for callers that keep it with the token: saves the hash. Goes before `accessToken`. */
  readonly ath?: string
  /** `cnf.jkt` of the token, or the key the caller is known by. */
  readonly jkt?: string
  /** Raw body bytes; undefined when the request has none. */
  readonly body?: Uint8Array | undefined
  /** Raw query without `?`. */
  readonly query?: string
  readonly requireQueryDigest?: boolean
  /** Whether a request with a body needs `content_digest`; default true. False is for token endpoints, where other clients come. */
  readonly requireBodyDigest?: boolean
  readonly nonce?: (nonce: string | undefined) => boolean
  readonly keys?: ProofKeyCache
  /** Default ES256 only. */
  readonly algorithms?: readonly string[]
  /** Where signatures are checked; default `verifySignature`, at once. */
  readonly checkSignature?: SignatureCheck
}
