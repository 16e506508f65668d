import type { Random } from '../run/random.ts'

/** One edit of a compact token's text. Positions count in thousandths, so that they stay where they were in smaller text. */
export type TextEdit =
  | { readonly edit: 'replace'; readonly at: number; readonly drop: number; readonly text: string }
  | { readonly edit: 'segment'; readonly part: number; readonly how: (typeof SEGMENT_EDITS)[number] }

const SEGMENT_EDITS = [
  'pad',
  'pad-twice',
  'stray-bits',
  'standard-alphabet',
  'repeat',
  'drop',
  'empty',
  'swap',
  'json',
  'space-before',
  'space-after',
  'comma-twice',
] as const
const PIECES = [
  '',
  '',
  '',
  'A',
  '_',
  '-',
  '=',
  '.',
  '..',
  ' ',
  '\n',
  '\t',
  '\0',
  '+',
  '/',
  ',',
  'é',
  '\uff21',
  '%41',
  '\r\n ',
]
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

export function editText(random: Random): TextEdit {
  if (random.oneIn(2)) return { edit: 'segment', part: random.below(3), how: random.pick(SEGMENT_EDITS) }
  return { edit: 'replace', at: random.below(1001), drop: random.below(3), text: random.pick(PIECES) }
}

export const applyEdits = (token: string, edits: readonly TextEdit[]): string => edits.reduce(applyEdit, token)

function applyEdit(token: string, edit: TextEdit): string {
  if (edit.edit === 'segment') return segmentEdit(token, edit.part, edit.how)
  const at = Math.floor((edit.at * token.length) / 1000)
  return token.slice(0, at) + edit.text + token.slice(at + edit.drop)
}

function segmentEdit(token: string, part: number, how: (typeof SEGMENT_EDITS)[number]): string {
  const parts = token.split('.')
  const segment = parts[part] ?? ''
  const replaced = (...texts: readonly string[]): string => parts.toSpliced(part, 1, ...texts).join('.')
  switch (how) {
    case 'pad':
      return replaced(`${segment}=`)
    case 'pad-twice':
      return replaced(`${segment}==`)
    case 'stray-bits':
      return replaced(segment.slice(0, -1) + ALPHABET.charAt(ALPHABET.indexOf(segment.slice(-1)) ^ 1))
    case 'standard-alphabet':
      return replaced(segment.replaceAll('-', '+').replaceAll('_', '/'))
    case 'repeat':
      return replaced(segment, segment)
    case 'drop':
      return parts.toSpliced(part, 1).join('.')
    case 'empty':
      return replaced('')
    case 'swap':
      return [parts[1], parts[0], ...parts.slice(2)].join('.')
    case 'json':
      return JSON.stringify({ protected: parts[0], payload: parts[1], signature: parts[2] })
    case 'space-before':
      return replaced(` ${segment}`)
    case 'space-after':
      return replaced(`${segment}\n`)
    default:
      return `${token},${token}`
  }
}
