/** What two readers of one JSON text could disagree about. */
export interface Survey {
  readonly isJson: boolean
  readonly value: unknown
  readonly depth: number
  readonly hasDuplicate: boolean
  readonly hasProto: boolean
  readonly hasLoneSurrogate: boolean
  /** A literal that no double holds: not finite, or a whole number beyond 2^53 - 1. */
  readonly hasOddNumber: boolean
  readonly hasByteOrderMark: boolean
}

/** With `u` only what is not half of a pair matches. */
export const LONE_SURROGATE = /[\ud800-\udfff]/u
const TOKEN = /[\s]+|"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/gy

/**
 * Surveys a text by other means than the parser under test: JSON.parse says whether it is JSON, and only then a scan by
 * regular expression, which relies on that, looks for what JSON.parse does not report.
 */
export function survey(text: string): Survey {
  const plain = text.replace(/^\ufeff/, '')
  const empty = { depth: 0, hasDuplicate: false, hasProto: false, hasLoneSurrogate: false, hasOddNumber: false }
  const hasByteOrderMark = plain !== text
  let value: unknown
  try {
    value = JSON.parse(plain)
  } catch {
    return { isJson: false, value: undefined, ...empty, hasByteOrderMark }
  }
  return { isJson: true, value, ...scan(plain), hasByteOrderMark }
}

function scan(text: string) {
  const open: (Set<string> | undefined)[] = []
  const found = { depth: 0, hasDuplicate: false, hasProto: false, hasLoneSurrogate: false, hasOddNumber: false }
  let isName = false
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === '{' || token === '[') {
      open.push(token === '{' ? new Set() : undefined)
      found.depth = Math.max(found.depth, open.length)
      isName = token === '{'
    } else if (token === '}' || token === ']') {
      open.pop()
    } else if (token === ',') {
      isName = open.at(-1) !== undefined
    } else if (token.startsWith('"')) {
      const word = JSON.parse(token) as string
      found.hasLoneSurrogate ||= LONE_SURROGATE.test(word)
      if (isName) {
        found.hasDuplicate ||= open.at(-1)?.has(word) === true
        found.hasProto ||= word === '__proto__'
        open.at(-1)?.add(word)
      }
      isName = false
    } else if (/^[-\d]/.test(token)) {
      found.hasOddNumber ||= isOddNumber(token)
    }
  }
  return found
}

const isOddNumber = (literal: string): boolean =>
  !Number.isFinite(Number(literal)) || (/^-?\d+$/.test(literal) && !Number.isSafeInteger(Number(literal)))
