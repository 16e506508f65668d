import type { VerifyKey } from '../token/algorithm.ts'

/** A holder's key, imported once, and its thumbprint. */
export interface ProofKey {
  readonly key: VerifyKey
  readonly jkt: string
}

/** Bounded store of holder keys by raw proof header segment; it is given only keys whose proof verified. */
export interface ProofKeyCache {
  get(headerSegment: string): ProofKey | undefined
  set(headerSegment: string, key: ProofKey): void
}
