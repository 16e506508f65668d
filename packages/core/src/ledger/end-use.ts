import { MAX_KEPT_BODY_CHARS } from './kept-body.ts'
import type { Outcome, UseState } from './ledger.ts'
import type { LedgerStore } from './ledger-store.ts'
import type { Use } from './use.ts'

/** All bodies that are kept do not take more than this together. */
const MAX_BODY_CHARS_TOTAL = 64 * 1024 * 1024

/** reserved -> committed, with its outcome. Nothing happens where the use is over or unknown. */
export function settle(store: LedgerStore, reservation: string, outcome: Outcome): void {
  const now = store.tick()
  const use = runningUse(store, reservation, now)
  if (use === undefined) return
  use.state = 'done'
  use.outcome = keptOutcome(store, use, outcome)
  store.closeUse(use)
}

/** reserved -> released: every limit it was charged to gets it back, once. False when it is too late for that. */
export function giveBack(store: LedgerStore, reservation: string): boolean {
  const now = store.tick()
  const use = runningUse(store, reservation, now)
  if (use === undefined || use.grant.whyDead(now) !== undefined) return false
  use.state = 'released'
  store.closeUse(use)
  if (use.outbox) store.noteReleased(use, now)
  use.grant.charges.giveBack(use.units, use.at, now)
  use.grant.actionUses.count -= 1
  if (use.key !== undefined && use.grant.repeats?.byKey.delete(use.key)) store.repeats -= 1
  return true
}

/** A use that may still be settled or given back. */
export function readUse(store: LedgerStore, reservation: string): UseState | undefined {
  const use = runningUse(store, reservation, store.tick())
  return use && { ...use.record(), state: use.state }
}

function runningUse(store: LedgerStore, reservation: string, now: number): Use | undefined {
  const use = store.running.get(reservation)
  if (use === undefined) return undefined
  store.lapseIfOver(use, now)
  return use.state === 'running' ? use : undefined
}

function keptOutcome(store: LedgerStore, { key, grant }: Use, { status, contentType, body }: Outcome): Outcome {
  const bare = contentType === undefined ? { status } : { status, contentType }
  const { repeats } = grant
  // Only a key lets anybody ask for it again.
  if (body === undefined || key === undefined || repeats === undefined || repeats.closed) return bare
  if (body.length > MAX_KEPT_BODY_CHARS || store.bodyChars + body.length > MAX_BODY_CHARS_TOTAL) return bare
  repeats.bodyChars += body.length
  store.bodyChars += body.length
  return { ...bare, body }
}
