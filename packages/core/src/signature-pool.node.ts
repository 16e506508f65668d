import * as nodeCrypto from 'node:crypto'
import type { SignatureCheck, VerifyKey } from './token/algorithm.ts'

/** Checks made in this thread before a turn of the event loop sends the rest away: alone, a check is faster here. */
const AT_ONCE_PER_TURN = 2
/** Checks away at a time. They share their threads with the disk and DNS, and what waits there cannot be refused. */
const MOST_AWAY = 64

export interface SignaturePoolBounds {
  readonly atOncePerTurn?: number
  readonly mostAway?: number
}

/** What `crypto.verify` takes beside the signature. */
export interface NodeVerifyInput {
  readonly data: Uint8Array
  readonly hash: string | null
  readonly input: nodeCrypto.VerifyKeyObjectInput
}

/**
 * A signature check that goes to libuv's thread pool where several come at once, and stays here where few do or where
 * too many are away already: who floods it is slowed down instead of queued.
 */
export function createSignaturePool(
  here: (key: VerifyKey, signingInput: string, signature: Uint8Array) => boolean,
  inputOf: (key: VerifyKey, signingInput: string) => NodeVerifyInput,
  { atOncePerTurn = AT_ONCE_PER_TURN, mostAway = MOST_AWAY }: SignaturePoolBounds = {},
): SignatureCheck {
  let away = 0
  let thisTurn = 0
  const nextTurn = (): void => {
    thisTurn = 0
  }
  return function checkOnPool(key, signingInput, signature) {
    if (thisTurn === 0) setImmediate(nextTurn)
    thisTurn += 1
    const isAlone = thisTurn <= atOncePerTurn && away === 0
    if (isAlone || away >= mostAway || signature.length !== key.signatureBytes) {
      return here(key, signingInput, signature)
    }
    return new Promise((resolve) => {
      try {
        const { hash, data, input } = inputOf(key, signingInput)
        // Node copies what it is given: nobody can change it while it is away.
        nodeCrypto.verify(hash, data, input, signature, (error, holds) => {
          away -= 1
          resolve(error === null && holds)
        })
        away += 1
      } catch {
        resolve(false)
      }
    })
  }
}
