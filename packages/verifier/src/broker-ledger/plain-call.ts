import type { Outcome } from '@hallpass/core'

const MAX_CONTENT_TYPE = 256
const MAX_REASON = 512
/** A half of a surrogate pair, which strict JSON does not carry. */
const LONE_SURROGATE = /\p{Surrogate}/gu
const FAILED = 500

/**
 * An outcome that a broker takes: a call it does not would fail every call of its batch. What a handler said in no
 * known form is left out, and a status that is none is told as a failure.
 */
export function plainOutcome({ status, contentType = '', body }: Outcome): Outcome {
  const isPlain = /^[\x20-\x7E]+$/.test(contentType) && contentType.length <= MAX_CONTENT_TYPE
  return {
    status: Number.isSafeInteger(status) ? status : FAILED,
    ...(isPlain && { contentType }),
    ...(body !== undefined && body.search(LONE_SURROGATE) < 0 && { body }),
  }
}

/** A reason that a broker takes: short, and text. */
export const plainReason = (reason: string): string => reason.slice(0, MAX_REASON).replaceAll(LONE_SURROGATE, '\uFFFD')
