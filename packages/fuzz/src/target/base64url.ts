import { decodeBase64url, encodeBase64url } from '@hallpass/core'
import type { Random } from '../run/random.ts'
import { BOTH, defineTarget, difference, NEITHER } from './target.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const ODD = [
  '=',
  '==',
  '+',
  '/',
  ' ',
  '\n',
  '\r',
  '\t',
  '\0',
  '.',
  ',',
  '\u007f',
  '\u0080',
  'é',
  'ÿ',
  '\u0141',
  '\u2d41',
  '\uff21',
  '\ud800',
  '\ud83d\ude00',
  '%',
  '~',
  '@',
  '[',
  '`',
  '{',
]

function makeText(random: Random): string {
  let text = Array.from({ length: random.below(random.oneIn(8) ? 70 : 9) }, () =>
    ALPHABET.charAt(random.below(64)),
  ).join('')
  for (let edits = random.pick([0, 0, 1, 2]); edits > 0; edits -= 1) {
    const at = random.below(text.length + 1)
    text = text.slice(0, at) + random.pick(ODD) + text.slice(at + random.below(2))
  }
  return text
}

/** Bit by bit, from RFC 4648 sections 3.5 and 5: 6 bits a character, what is left over zero and less than a character. */
function decodeByHand(text: string): readonly number[] | undefined {
  const octets: number[] = []
  let held = 0
  let bits = 0
  for (const character of text) {
    const value = ALPHABET.indexOf(character)
    if (value === -1) return undefined
    held = ((held << 6) | value) & 0xfff
    bits += 6
    if (bits >= 8) {
      bits -= 8
      octets.push((held >> bits) & 0xff)
    }
  }
  return bits >= 6 || (held & ((1 << bits) - 1)) !== 0 ? undefined : octets
}

export const base64urlTarget = defineTarget<string>({
  name: 'base64url',
  about: 'decodeBase64url and encodeBase64url against a decoder that goes bit by bit',
  make: makeText,
  judge(text) {
    const [ours, theirs] = [decodeBase64url(text), decodeByHand(text)]
    if (ours === undefined) return theirs === undefined ? NEITHER : difference('base64url: refused a canonical text')
    if (theirs === undefined) return difference('base64url: took a text that is not canonical')
    if (Array.from(ours).join() !== theirs.join()) return difference('base64url: other octets')
    return encodeBase64url(ours) === text ? BOTH : difference('base64url: writes another text')
  },
})
