/** Engines that have it answer for one-byte strings at once; ES2023 does not promise it. */
const native = (String.prototype as { isWellFormed?: (this: string) => boolean }).isWellFormed

const isPair = (high: number, low: number): boolean => high <= 0xdbff && low >= 0xdc00 && low <= 0xdfff

/** Whether a text has no lone surrogates. */
export function isWellFormed(text: string): boolean {
  return native === undefined ? hasOnlyPairs(text) : native.call(text)
}

/** The same, for engines without `String.prototype.isWellFormed`. */
export function hasOnlyPairs(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code < 0xd800 || code > 0xdfff) continue
    if (!isPair(code, text.charCodeAt(at + 1))) return false
    at++
  }
  return true
}
