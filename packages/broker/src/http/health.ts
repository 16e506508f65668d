import { isPromise, type AuditSink } from '@hallpass/core'
import type { Engine } from '../engine.ts'
import { importKey, signatureHolds } from '../identity/signature-holds.ts'

export interface Readiness {
  readonly ready: boolean
  readonly ledger: boolean
  readonly trail: boolean
  readonly keys: boolean
  /** It is about to end, and should be asked nothing new. */
  readonly draining: boolean
}

/** An answer is good for a second, so that asking costs an outsider's request no signature. */
const FRESH_SECONDS = 1
const PROBE = 'hallpass readiness probe'

/** Whether ledger, trail and signing key answer, each asked for real. */
export function createReadiness(engine: Engine, audit: AuditSink): () => Promise<Readiness> {
  let asked: { readonly at: number; readonly answer: Promise<Readiness> } | undefined

  async function ask(): Promise<Readiness> {
    const [ledger, trail, keys] = await Promise.all([
      works(async () => {
        await engine.ledger.now()
        return true
      }),
      works(async () => {
        await audit.flush()
        return engine.recorder.drain()
      }),
      works(() => signs(engine)),
    ])
    return { ready: ledger && trail && keys, ledger, trail, keys, draining: false }
  }

  return async () => {
    const now = engine.clock()
    if (asked === undefined || now - asked.at >= FRESH_SECONDS) asked = { at: now, answer: ask() }
    const found = await asked.answer
    return engine.isDraining ? { ...found, ready: false, draining: true } : found
  }
}

async function works(check: () => Promise<boolean>): Promise<boolean> {
  try {
    return await check()
  } catch {
    return false
  }
}

/** A signature that the published key verifies: a key's holder that answers with rubbish is not ready. */
async function signs({ keys }: Engine): Promise<boolean> {
  const signer = keys.current()
  const signature = signer.sign(Buffer.from(PROBE))
  const key = await importKey(signer.publicJwk, 'ES256')
  return key.ok && signatureHolds(key.value, PROBE, isPromise(signature) ? await signature : signature)
}
