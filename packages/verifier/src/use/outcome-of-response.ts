import type { Outcome } from '@hallpass/core'
import { MAX_OUTCOME_BYTES } from './use.ts'

/** What is kept of an answer: the whole body where it is short text, its absence where it is not. */
export function outcomeOf(
  status: number,
  contentType: string | null | undefined,
  body: Uint8Array | undefined,
): Outcome {
  const type = contentType === null || contentType === undefined ? {} : { contentType }
  if (body === undefined || body.length > MAX_OUTCOME_BYTES) return { status, ...type }
  try {
    return { status, ...type, body: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body) }
  } catch {
    return { status, ...type }
  }
}
