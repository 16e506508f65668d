/** Server-chosen nonces for proofs (RFC 9449 section 9). Without one, freshness rests on `iat` and the ledger. */
export interface NonceSource {
  /** The nonce a client is to use now. */
  current(now: number): string
  /** Whether a proof with this nonce is taken now. */
  accepts(nonce: string, now: number): boolean
}
