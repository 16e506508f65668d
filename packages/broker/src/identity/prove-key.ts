import { ok, verifyProof, type ProofExpectation, type VerifiedProof } from '@hallpass/core'
import type { Engine } from '../engine.ts'
import type { OAuthRequest } from '../http/oauth-request.ts'
import { reject, type Step } from '../http/refusal.ts'
import type { Writable } from '../writable.ts'

export interface ProofScope {
  /** The endpoint's own URL, from configuration. */
  readonly url: string
  /** Default `POST`. */
  readonly method?: 'GET' | 'POST'
  readonly accessToken?: string
  /** Thumbprint the key must have. */
  readonly jkt?: string
  /** True where a proof must cover the body; elsewhere it may, and then it must fit. */
  readonly coversBody?: boolean
}

/**
 * Verifies the DPoP proof of a request to this broker (RFC 9449 section 4.3).
 * Does not check whether it was seen before: `spendProof` does, once the rest of the request holds.
 */
export async function proveKey(
  engine: Engine,
  ask: Pick<OAuthRequest, 'proof' | 'body'>,
  scope: ProofScope,
): Promise<Step<VerifiedProof>> {
  if (ask.proof === undefined) return reject('invalid_dpop_proof', { reason: 'proof-missing' })
  const expect: Writable<ProofExpectation> = {
    method: scope.method ?? 'POST',
    url: scope.url,
    now: engine.clock(),
    body: ask.body,
    requireBodyDigest: scope.coversBody ?? false,
    keys: engine.proofKeys,
  }
  const { nonces } = engine
  if (scope.accessToken !== undefined) expect.accessToken = scope.accessToken
  if (scope.jkt !== undefined) expect.jkt = scope.jkt
  if (nonces !== undefined) expect.nonce = (nonce) => nonces.accepts(nonce)
  const verified = await verifyProof(ask.proof, expect)
  if (verified.ok) return verified
  return reject(verified.reason === 'proof-nonce' ? 'use_dpop_nonce' : 'invalid_dpop_proof', verified)
}

/** Marks a proof as used; the second of two equal proofs is refused. */
export async function spendProof(engine: Engine, proof: VerifiedProof): Promise<Step<true>> {
  const mark = await engine.ledger.markOnce(`proof ${proof.jkt} ${proof.jti}`, proof.acceptUntil)
  switch (mark) {
    case 'first':
      return ok(true)
    case 'seen':
      return reject('invalid_dpop_proof', { reason: 'proof-replayed' })
    case 'full':
      return reject('temporarily_unavailable', { reason: 'ledger-full' })
    default:
      return reject('temporarily_unavailable', { reason: 'internal', detail: 'the ledger gave an unknown answer' })
  }
}
