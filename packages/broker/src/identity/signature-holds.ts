import {
  importVerifyKey,
  verifySignature,
  type Jwk,
  type MaybePromise,
  type SignatureAlgorithm,
  type VerifyKey,
} from '@hallpass/core'

/** True only for a signature that was checked and holds: where the platform answers later, the answer is waited for. */
export const signatureHolds = (key: VerifyKey, signingInput: string, signature: Uint8Array): Promise<boolean> =>
  isTrue(verifySignature(key, signingInput, signature))

// Web Crypto answers with a promise, and a promise is truthy: this type keeps it from being taken for a yes.
const isTrue = async (answer: MaybePromise<boolean>): Promise<boolean> => answer

/** Imports a public key, at once or later, as the platform does. */
export const importKey = (jwk: Jwk, alg: SignatureAlgorithm): ReturnType<typeof importVerifyKey> =>
  importVerifyKey(jwk, alg)
