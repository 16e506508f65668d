import { encodeBase64url, importVerifyKey, verifySignature } from '#crypto'
import type { Jwk } from '../identity/identity.ts'
import type { MaybePromise, Result } from '../result.ts'
import { ok, refuse } from '../result.ts'
import { TYP } from '../token/constants.ts'
import { preflight } from '../token/preflight.ts'
import type { ChainHead } from './chain.ts'

/** Holds the key that signs checkpoints; a KMS or HSM fits behind it. */
export interface CheckpointSigner {
  readonly kid: string
  readonly alg: 'ES256'
  /** The raw 64 byte ECDSA signature (r and s, as in JWS) over these bytes. */
  sign(data: Uint8Array): MaybePromise<Uint8Array>
}

/** What a checkpoint vouches for: line `seq` of this source's trail has this hash, and so has every line before it. */
export interface Checkpoint extends ChainHead {
  /** NumericDate at which it was signed. */
  readonly time: number
  readonly source: string
}

export type CheckpointProblem = 'checkpoint-malformed' | 'checkpoint-key-unknown' | 'checkpoint-signature'

const MAX_CHECKPOINT_BYTES = 4096
const encode = (text: string): string => encodeBase64url(new TextEncoder().encode(text))

/** Signs a checkpoint as a compact JWS (RFC 7515), `typ` hallpass-checkpoint+jwt. Rejects when the signer does. */
export async function signCheckpoint(checkpoint: Checkpoint, signer: CheckpointSigner): Promise<string> {
  const header = { typ: TYP.checkpoint, alg: signer.alg, kid: signer.kid }
  const { seq, hash, time, source } = checkpoint
  const input = `${encode(JSON.stringify(header))}.${encode(JSON.stringify({ seq, hash, time, source }))}`
  const signature = await signer.sign(new TextEncoder().encode(input))
  if (signature.length !== 64) throw new TypeError('A checkpoint signer must answer with 64 bytes, r and s')
  return `${input}.${encodeBase64url(signature)}`
}

/** Checks a checkpoint's signature against these keys. Says nothing about whether the trail has that line. */
export async function verifyCheckpoint(
  jws: string,
  keys: readonly Jwk[],
): Promise<Result<Checkpoint, CheckpointProblem>> {
  const parts = preflight(jws, { typ: [TYP.checkpoint], alg: ['ES256'], maxBytes: MAX_CHECKPOINT_BYTES })
  if (!parts.ok) return refuse('checkpoint-malformed', parts.detail)
  const { header, payload, signingInput, signature } = parts.value
  const { seq, hash, time, source } = payload
  if (
    typeof seq !== 'number' ||
    !Number.isSafeInteger(seq) ||
    typeof hash !== 'string' ||
    typeof time !== 'number' ||
    typeof source !== 'string'
  ) {
    return refuse('checkpoint-malformed', 'A checkpoint holds seq, hash, time and source')
  }
  const jwk = keys.find((key) => key.kid !== undefined && key.kid === header['kid'])
  if (jwk === undefined)
    return refuse('checkpoint-key-unknown', `No key here has the kid ${JSON.stringify(header['kid'])}`)
  // At once on Node, later where Web Crypto does it.
  const key = await Promise.resolve(importVerifyKey(jwk, 'ES256'))
  if (!key.ok) return refuse('checkpoint-key-unknown', 'The key with its kid is not an ES256 public key')
  const genuine = await Promise.resolve(verifySignature(key.value, signingInput, signature))
  return genuine
    ? ok({ seq, hash, time, source })
    : refuse('checkpoint-signature', 'Its signature does not fit its key')
}
