import type { JsonObject, JsonValue } from '@hallpass/core'
import { KEYS, KEY_NAMES } from '../keys.ts'
import type { KeyName } from '../keys.ts'
import type { Random } from '../run/random.ts'
import { writeJson } from './json-text.ts'
import { mutateValue } from './json-value.ts'
import type { Vocabulary } from './json-value.ts'
import { bentSignature, pickGame } from './signature.ts'
import type { SignatureGame } from './signature.ts'
import { editText, applyEdits } from './text-edit.ts'
import type { TextEdit } from './text-edit.ts'

/** How a token is made: small, readable, and signed anew each time, so that it can be kept and made smaller. */
export interface TokenRecipe {
  readonly header: string
  readonly payload: string
  readonly key: KeyName
  readonly game: SignatureGame
  /** Octets of header (0) or payload (1) that are overwritten before signing. */
  readonly octets: readonly (readonly [part: number, at: number, octet: number])[]
  /** A segment of another good token that takes the place of its own. */
  readonly graft?: Graft
  /** What is done to the finished text. */
  readonly edits: readonly TextEdit[]
}

interface Graft {
  readonly part: number
  readonly header: string
  readonly payload: string
  readonly key: KeyName
}

/** A good token, and what to bend it with. */
export interface TokenSeed {
  readonly header: JsonObject
  readonly payload: JsonObject
  readonly key: KeyName
  readonly words: Vocabulary
}

const partOf = (text: string, part: number, octets: TokenRecipe['octets']): string => {
  const bytes = Buffer.from(text)
  for (const [, at, octet] of octets.filter(([which]) => which === part)) {
    if (bytes.length > 0) bytes[at % bytes.length] = octet
  }
  return bytes.toString('base64url')
}

/** The token a recipe stands for. */
export function buildToken({ header, payload, key, game, octets, graft, edits }: TokenRecipe): string {
  const input = `${partOf(header, 0, octets)}.${partOf(payload, 1, octets)}`
  const token = `${input}.${bentSignature(KEYS[key], input, game).toString('base64url')}`
  return applyEdits(graft === undefined ? token : grafted(token, graft), edits)
}

function grafted(token: string, { part, header, payload, key }: Graft): string {
  const donor = buildToken({ header, payload, key, game: 'good', octets: [], edits: [] })
  return token
    .split('.')
    .with(part % 3, donor.split('.')[part % 3] ?? '')
    .join('.')
}

const HEADER_NAMES = [
  'alg',
  'typ',
  'kid',
  'jwk',
  'jku',
  'x5u',
  'x5c',
  'x5t',
  'crit',
  'b64',
  'zip',
  'enc',
  'cty',
  'iss',
  'epk',
]
const HEADER_VALUES: readonly JsonValue[] = [
  'none',
  'None',
  'HS256',
  'ES256',
  'es256',
  'ES384',
  'RS256',
  'EdDSA',
  'JWT',
  'at+jwt',
  'AT+JWT',
  'application/at+jwt',
  'at+jwt; v=1',
  'dpop+jwt',
  'application/dpop+jwt',
  'DPoP+JWT',
  'statuslist+jwt',
  'client-authentication+jwt',
  'JOSE',
  ['exp'],
  ['b64'],
  [],
  'https://evil.example/keys',
  'DEF',
  '../../dev/null',
  'x'.repeat(129),
]

/** A recipe for the seed with one to three things changed about it; rarely with none. */
export function makeRecipe(random: Random, seed: TokenSeed): TokenRecipe {
  let { header, payload } = seed as { header: JsonValue; payload: JsonValue }
  const { words } = seed
  const headerWords = {
    names: [...HEADER_NAMES, ...words.names],
    values: [...HEADER_VALUES, KEYS.stranger.jwk as JsonValue, KEYS.holder.jwk as JsonValue],
    now: words.now,
  }
  const changes = random.pick([0, 1, 1, 1, 1, 1, 2, 3])
  for (let change = 0; change < changes; change += 1) {
    if (random.oneIn(3)) header = mutateValue(random, header, headerWords)
    else payload = mutateValue(random, payload, words)
  }
  return {
    header: writeJson(random, header),
    payload: writeJson(random, payload),
    key: random.oneIn(20) ? random.pick(KEY_NAMES) : seed.key,
    game: pickGame(random),
    octets: random.oneIn(24) ? [[random.below(2), random.below(400), random.below(256)]] : [],
    ...(random.oneIn(16) ? { graft: makeGraft(random, seed) } : {}),
    edits: random.oneIn(8) ? Array.from({ length: 1 + random.below(2) }, () => editText(random)) : [],
  }
}

/** From the same token, from one with other claims by the same key, or from one by another key. */
function makeGraft(random: Random, { header, payload, key, words }: TokenSeed): Graft {
  const other = random.oneIn(2) ? mutateValue(random, payload, words) : payload
  return {
    part: random.below(3),
    header: JSON.stringify(header),
    payload: JSON.stringify(other),
    key: random.oneIn(3) ? random.pick(KEY_NAMES) : key,
  }
}
