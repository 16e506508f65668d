import { isDeepStrictEqual } from 'node:util'
import { canonicalize as ours, parseStrictJson } from '@hallpass/core'
import type { JsonValue } from '@hallpass/core'
import theirs from 'canonicalize'
import { writeJson } from '../mutate/json-text.ts'
import { mutateValue } from '../mutate/json-value.ts'
import type { Random } from '../run/random.ts'
import { LONE_SURROGATE, survey } from '../strictness/survey.ts'
import { GRANT, TASK_TOKEN, WORDS } from './seed-tokens.ts'
import { BOTH, defineTarget, difference, NEITHER, stricter } from './target.ts'
import type { Verdict } from './target.ts'

const PIECES = [
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '"',
  '\\',
  'a',
  '1',
  '-',
  '.',
  'e',
  ' ',
  '\n',
  '\0',
  'é',
  '\ud83d\ude00',
  '\ufeff',
  'null',
  '\\u0061',
  '\\ud800',
]

function makeText(random: Random): string {
  let value: JsonValue = random.pick<JsonValue>([
    ...GRANT,
    ...TASK_TOKEN,
    { a: [1, -0, 1.5, 'é', null, true] },
    [],
    'text',
    7,
  ])
  // Beyond 8192 characters the parser copies what it cuts out of the text.
  if (random.oneIn(12)) value = { pad: random.pick(['x', 'é', '\ud83d\ude00']).repeat(8200), value }
  for (let changes = random.below(3); changes > 0; changes -= 1) value = mutateValue(random, value, WORDS)
  let text = writeJson(random, value)
  for (let edits = random.pick([0, 0, 1, 2]); edits > 0; edits -= 1) {
    const at = random.below(text.length + 1)
    text = text.slice(0, at) + random.pick(PIECES) + text.slice(at + random.below(3))
  }
  return text
}

function judgeText(text: string): Verdict {
  const parsed = parseStrictJson(text)
  const bytes = Buffer.from(text)
  const wellFormed = !LONE_SURROGATE.test(text)
  if (wellFormed && !isDeepStrictEqual(parseStrictJson(new Uint8Array(bytes)), parsed))
    return difference('json: text and octets read differently')
  const found = survey(text)
  if (parsed.ok) {
    if (!found.isJson || found.hasByteOrderMark) return difference('json: laxer than JSON.parse')
    if (!isDeepStrictEqual(parsed.value, found.value)) return difference('json: read differently')
    if (found.hasDuplicate || found.hasProto || found.hasLoneSurrogate || found.hasOddNumber || found.depth > 16)
      return difference('json: took what it must refuse')
    return judgeCanonical(parsed.value)
  }
  if (!found.isJson) return NEITHER
  if (found.hasByteOrderMark) return NEITHER
  if (found.hasDuplicate) return stricter('json-duplicate')
  if (found.hasProto) return stricter('json-proto')
  if (found.hasLoneSurrogate || !wellFormed) return stricter('json-surrogate')
  if (found.hasOddNumber) return stricter('json-number')
  return found.depth > 16
    ? stricter('json-depth')
    : difference(`json: stricter for no reason on the list (${parsed.reason})`)
}

/** RFC 8785: the same text as another implementation, and the same again when read back. */
function judgeCanonical(value: JsonValue): Verdict {
  const text = ours(value)
  if (text !== theirs(value)) return difference('json: another canonical text')
  const again = parseStrictJson(text)
  // A whole number such as 1e22 is canonically written with digits, which a strict reader takes only up to 2^53 - 1.
  if (!again.ok) return survey(text).hasOddNumber ? BOTH : difference('json: its own canonical text is refused')
  return ours(again.value) === text ? BOTH : difference('json: canonical text that is not stable')
}

export const jsonTarget = defineTarget<string>({
  name: 'json',
  about: 'parseStrictJson against JSON.parse, canonicalize against the package of that name',
  make: makeText,
  judge: judgeText,
})
