import { generateClientKey } from '#crypto'
import type { ProofMaker } from './proof-maker.ts'
import { createProofMaker } from './proof-maker.ts'

/**
 * Makes a key that cannot be exported, and proofs with it (RFC 9449 section 4.2): for code that speaks to a broker or an
 * API by itself. `createClient` needs none of it.
 */
export function createProofs(): Promise<ProofMaker> {
  return Promise.resolve(generateClientKey()).then(createProofMaker)
}
