import {
  isPromise,
  ok,
  verifyProof,
  type MaybePromise,
  type ProofExpectation,
  type RefusalReason,
  type Result,
  type VerifiedProof,
} from '@hallpass/core'
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
export function proveKey(
  engine: Engine,
  ask: Pick<OAuthRequest, 'proof' | 'body'>,
  scope: ProofScope,
): MaybePromise<Step<VerifiedProof>> {
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
  const verified = verifyProof(ask.proof, expect)
  return isPromise(verified) ? verified.then(toStep) : toStep(verified)
}

function toStep(verified: Result<VerifiedProof, RefusalReason>): Step<VerifiedProof> {
  if (verified.ok) return verified
  return reject(verified.reason === 'proof-nonce' ? 'use_dpop_nonce' : 'invalid_dpop_proof', verified)
}

/** Marks a proof as used; the second of two equal proofs is refused. */
export function spendProof(engine: Engine, proof: VerifiedProof): MaybePromise<Step<true>> {
  const mark = engine.ledger.markOnce(`proof ${proof.jkt} ${proof.jti}`, proof.acceptUntil)
  return isPromise(mark) ? mark.then(toSpent) : toSpent(mark)
}

function toSpent(mark: 'first' | 'seen' | 'full'): Step<true> {
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
