const kept = new WeakMap<object, string>()

// oxlint-disable-next-line no-control-regex -- these are what JSON escapes
const needsEscape = /["\\\u0000-\u001f\ud800-\udfff]/

/** Up to here a loop is quicker than entering the regular expression. */
const SHORT_CHARS = 96

/** Whether JSON writes each character of it as it is. */
function isPlain(text: string): boolean {
  if (text.length > SHORT_CHARS) return !needsEscape.test(text)
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code < 0x20 || code === 0x22 || code === 0x5c || (code >= 0xd800 && code <= 0xdfff)) return false
  }
  return true
}

/** A string as JSON.stringify writes it. */
export const quoted = (text: string): string => (isPlain(text) ? `"${text}"` : JSON.stringify(text))

const MAX_KEPT = 2048
const MAX_KEPT_CHARS = 256
const keptTexts = new Map<string, string>()

/** The same, remembered: for names that come again and again, such as agents, owners, audiences and actions. */
export function quotedName(name: string): string {
  const before = keptTexts.get(name)
  if (before !== undefined) return before
  const text = quoted(name)
  if (name.length > MAX_KEPT_CHARS) return text
  if (keptTexts.size >= MAX_KEPT) keptTexts.clear()
  keptTexts.set(name, text)
  return text
}

/** Thousandths as they end a number: `.5`, `.125`, and nothing for none. */
const THOUSANDTHS: readonly string[] = Array.from({ length: 1000 }, (_, count) => String(count / 1000).slice(1))
/** What is smaller is no time of our days, and as quick to write. */
const LEAST_TIME = 1e9
let newestWhole = -1
let newestWholeText = ''

/** A finite number as JSON.stringify writes it. Times in milliseconds come one after the other, and are put together. */
export function numberText(value: number): string {
  const thousandths = Math.round(value * 1000)
  // Below 2^40 no two numbers of thousandths are the same double, and none takes an exponent.
  if (!(value >= LEAST_TIME && value < 2 ** 40) || thousandths / 1000 !== value) return String(value)
  const whole = Math.floor(value)
  if (whole !== newestWhole) {
    newestWhole = whole
    newestWholeText = String(whole)
  }
  return newestWholeText + (THOUSANDTHS[thousandths - 1000 * whole] ?? '')
}

/**
 * JSON of a value, as JSON.stringify writes it; undefined for what has none. The text of plain data that is frozen all
 * through is kept with it: limits and policy versions are written into every token and event, and never change.
 */
export function jsonText(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const before = kept.get(value)
  if (before !== undefined) return before
  const text = JSON.stringify(value) as string | undefined
  if (text !== undefined && isForEver(value)) kept.set(value, text)
  return text
}

/** Whether this can never read otherwise: frozen data members all the way down, and nothing that writes itself. */
function isForEver(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return typeof value !== 'function'
  if (!Object.isFrozen(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== (Array.isArray(value) ? Array.prototype : Object.prototype)) return false
  if (Object.hasOwn(value, 'toJSON')) return false
  return Object.values(Object.getOwnPropertyDescriptors(value)).every(
    (member) => 'value' in member && isForEver(member.value),
  )
}
