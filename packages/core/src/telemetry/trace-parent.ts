/** The longest that is looked at; one of the present version has 55. */
const MAX_CHARS = 256
const TRACE_PARENT = /^(?!ff)([0-9a-f]{2})-((?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16})-([0-9a-f]{2})(-[\x21-\x7e]*)?$/

/**
 * Reads a W3C `traceparent` (Trace Context level 1, section 3.2) as version 00, with no flag but `sampled`.
 *
 * @returns undefined for everything else: another length, upper case, an id of zeros, two of them joined by a comma. It is
 *   a claim of whoever sent it, good for joining what is recorded and for nothing else.
 */
export function parseTraceParent(text: string | null | undefined): string | undefined {
  if (typeof text !== 'string' || text.length > MAX_CHARS) return undefined
  const [, version, ids, flags = '0', more] = TRACE_PARENT.exec(text) ?? []
  if (ids === undefined || (version === '00' && more !== undefined)) return undefined
  return `00-${ids}-0${Number.parseInt(flags, 16) & 1}`
}
