import type { Expiring } from './expiry-queue.ts'
import type { Repeats } from './use.ts'

/** What a verifier's own store keeps of a task: the uses that a retry may ask about, until no grant of it can live. */
export class SignedTask implements Expiring {
  readonly issuer: string
  readonly txn: string
  readonly end: number
  /** By audience. */
  readonly repeats = new Map<string, Repeats>()
  due = 0
  slot = -1

  constructor({ issuer, txn }: { readonly issuer: string; readonly txn: string }, end: number) {
    this.issuer = issuer
    this.txn = txn
    this.end = end
  }
}
