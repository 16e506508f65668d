const NAME = '"exp":'
/** What is looked for: a search stops at every first character it finds, and quotes are everywhere. */
const RARE = 'xp":'
const BEFORE = NAME.length - RARE.length
const ZERO = 0x30
const NINE = 0x39
const COMMA = 0x2c
const CLOSE = 0x7d
/** More digits than any date has; fewer than a double holds exactly. */
const MAX_DIGITS = 15

/**
 * Whether the JSON text of a payload says in the plainest way that it is over: one `"exp":` in it, whole digits, past.
 *
 * A glance that may only ever refuse: it spares parsing most tokens that are too old. Whatever it does not see, an `exp`
 * that is escaped, spaced, fractional, repeated or nested, is for the claims to check, and those are checked as if
 * nobody had looked. Should the one it sees be another member's, it refuses a token no issuer writes.
 * @param now NumericDate seconds; nothing is past a `now` that is not a number.
 */
export function looksExpired(text: string, now: number): boolean {
  const rare = text.indexOf(RARE)
  if (text.includes(RARE, rare + RARE.length)) return false
  if (!text.startsWith(NAME, rare - BEFORE)) return false
  const start = rare + RARE.length
  let at = start
  let seconds = 0
  let code = text.charCodeAt(at)
  while (code >= ZERO && code <= NINE && at - start < MAX_DIGITS) {
    seconds = seconds * 10 + (code - ZERO)
    code = text.charCodeAt(++at)
  }
  return at > start && (code === COMMA || code === CLOSE) && seconds <= now
}
